#if Node
    internal import DAGBytes
    internal import DAGMultiformats
    internal import DAGStorage
    internal import GatewayRequests
    internal import HummingbirdCore
    internal import NIOCore

    extension Responder {
        /// Executes the plan for one block.
        ///
        /// - Throws: `GatewayRefusal`; `DAGStoreError`.
        func answer(
            _ plan: BlockPlan,
            isHead: Bool
        ) async throws -> Answer {
            do {
                return try await ownAnswer(plan, isHead: isHead)
            } catch let refusal as GatewayRefusal where refusal.status == 404 {
                guard let blocks = try await configuration.blocksElsewhere?([plan.cid]),
                    let block = blocks.first ?? nil
                else { throw refusal }
                return try await answer(plan, block, isHead: isHead)
            }
        }

        private func answer(_ plan: BlockPlan, _ block: Block, isHead: Bool) async throws -> Answer
        {
            let head = plan.answer(size: UInt64(block.size))
            guard !isHead, let part = head.body else { return Answer(head) }
            return try await answer(
                head,
                block.content,
                Int(part.lowerBound)..<Int(part.upperBound)
            )
        }

        /// Answers from the store.
        ///
        /// `HEAD` and a client that has the block already need the index only.
        ///
        /// - Throws: `GatewayRefusal`; `DAGStoreError`.
        private func ownAnswer(_ plan: BlockPlan, isHead: Bool) async throws -> Answer {
            if isHead || plan.conditions.isNoneOf != nil {
                let head = plan.answer(size: try await size(of: plan))
                if isHead || head.body == nil { return Answer(head) }
            }
            if plan.conditions.range != nil, !configuration.verifiesBlocks {
                return try await partAnswer(plan)
            }
            guard let block = try await found(plan.cid) else { throw missing(plan) }
            return try await answer(plan, block, isHead: false)
        }

        /// Reads only the part that the client wants.
        private func partAnswer(_ plan: BlockPlan) async throws -> Answer {
            let head = plan.answer(size: try await size(of: plan))
            guard let part = head.body else { return Answer(head) }
            let found = try await blocking.run {
                try await store.slice(of: plan.cid, in: part, deadline: deadline)
            }
            guard let slice = found else { throw missing(plan) }
            guard slice.range == part else {
                throw DAGStoreError(.sourceChanged, "the block's size changed")
            }
            return try await answer(head, slice.content, 0..<slice.content.view.count)
        }

        private func size(of plan: BlockPlan) async throws -> UInt64 {
            if let block = try store.blockIfOpen(for: plan.cid) { return UInt64(block.size) }
            let size = try await blocking.call { [store] in try store.size(of: plan.cid) }
            guard let size else { throw missing(plan) }
            return size
        }

        private func found(_ cid: CID) async throws -> Block? {
            let start = time
            var found = try store.blockIfOpen(for: cid)
            let isOpen = found != nil
            if !isOpen {
                found = try await blocking.run {
                    try await store.block(for: cid, deadline: deadline)
                }
            }
            if found != nil {
                observer?.receive(isOpen ? .open : .any, nanoseconds: time - start)
            }
            guard let block = found else { return nil }
            guard configuration.verifiesBlocks else { return block }
            return try await blocking.call { try block.verified() }
        }

        private func missing(_ plan: BlockPlan) -> GatewayRefusal {
            GatewayRefusal(
                plan.statusWhenMissing,
                "No shard here has the block \(plan.cid.briefText)"
            )
        }

        /// Returns the answer with bytes of a block: in one buffer, or as a stream if they are many.
        private func answer(
            _ head: GatewayAnswer,
            _ content: BlockBytes,
            _ part: Range<Int>
        ) async throws -> Answer {
            guard part.count <= ChunkBuffer.chunkSize else {
                let place = try traffic.admitStream(size: UInt64(part.count))
                let body = ResponseBody(contentLength: part.count) { [traffic, blocking] writer in
                    // The stream's place is free when its body has ended.
                    defer { withExtendedLifetime(place) {} }
                    var sink = BodySink(traffic, blocking, size: UInt64(part.count))
                    try await sink.write(content, part, to: &writer)
                    try await sink.finish(&writer)
                    try await writer.finish(nil)
                }
                return Answer(head: head, body: body, isStream: true)
            }
            try traffic.admit(size: UInt64(part.count))
            let buffer =
                content.isResident(part)
                ? try Self.copy(content, part)
                : try await blocking.call { try Self.copy(content, part) }
            traffic.count(part.count)
            return Answer(head: head, body: ResponseBody(byteBuffer: buffer))
        }

        static func copy(_ content: BlockBytes, _ part: Range<Int>) throws -> ByteBuffer {
            var buffer = ByteBufferAllocator().buffer(capacity: part.count)
            try buffer.append(content, part)
            return buffer
        }

        /// When the store stops waiting for bytes that are not on this machine.
        var deadline: ContinuousClock.Instant { .now + configuration.fetchTimeout }
    }
#endif
