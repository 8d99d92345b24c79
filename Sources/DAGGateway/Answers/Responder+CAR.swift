#if Node
    internal import DAGCAR
    internal import DAGIPLD
    internal import DAGStorage
    internal import GatewayRequests
    internal import HummingbirdCore
    internal import NIOCore

    extension Responder {
        /// How many blocks of a walk are looked up at once.
        private static let batchSize = 16

        /// Executes the plan for a CAR.
        ///
        /// The path is followed and the block at its end found before the head is sent. `HEAD`, and a client that has
        /// the CAR already, need the index only, or the blocks of the path.
        ///
        /// - Throws: `GatewayRefusal`; `DAGStoreError`.
        func answer(
            _ plan: CARPlan,
            isHead: Bool
        ) async throws -> Answer {
            do {
                guard !isHead, !plan.isKnown else {
                    try await check(plan)
                    return Answer(plan.answer)
                }
                return try await streamed(plan)
            } catch let error as DAGStoreError where error.code == .blockNotFound {
                throw GatewayRefusal(plan.statusWhenMissing, error.message)
            }
        }

        /// Checks that the content is here.
        private func check(_ plan: CARPlan) async throws {
            let root = plan.request.root
            guard plan.request.path.isEmpty else {
                var request = plan.request
                request.scope = .block
                request.entityBytes = nil
                let walk = store.walk(
                    request,
                    verifying: false,
                    patience: configuration.fetchTimeout,
                    elsewhere: elsewhere(plan)
                )
                try await blocking.run {
                    var blocks = walk.makeAsyncIterator()
                    _ = try await blocks.next()
                }
                return
            }
            if try await blocking.call({ [store] in try store.contains(root) }) { return }
            guard let block = try await elsewhere(plan)?([root]).first, block != nil else {
                throw DAGStoreError(.blockNotFound, "no shard has the block \(root.briefText)")
            }
        }

        /// Returns blocks that the store lacks; nil if the gateway, or this client, wants only what the store has.
        private func elsewhere(_ plan: CARPlan) -> BlocksElsewhere? {
            plan.statusWhenMissing == 404 ? configuration.blocksElsewhere : nil
        }

        private func streamed(_ plan: CARPlan) async throws -> Answer {
            let place = try traffic.admitStream(size: nil)
            let walk = store.walk(
                plan.request,
                verifying: configuration.verifiesBlocks,
                patience: configuration.fetchTimeout,
                elsewhere: elsewhere(plan)
            )
            let root = plan.request.root
            func begin() async throws -> ([Block], DAGWalk.Iterator) {
                var blocks = walk.makeAsyncIterator()
                return (try await blocks.nextBatch(limit: 1), blocks)
            }
            let (first, blocks) =
                isInMemory(plan) ? try await begin() : try await blocking.run { try await begin() }
            let body = ResponseBody { [traffic, blocking] writer in
                // The stream's place is free when its body has ended.
                defer { withExtendedLifetime(place) {} }
                var sink = BodySink(traffic, blocking)
                try await sink.write(CARHeader.encoded(roots: [root]), to: &writer)
                do {
                    // The client learns at once what it gets.
                    for block in first { try await sink.write(section: block, to: &writer) }
                    try await sink.flush(to: &writer)
                    try await Self.write(blocks, on: blocking, to: &sink, &writer)
                } catch let error as DAGStoreError {
                    // The client keeps the blocks before the one that cannot be had.
                    try? await sink.flush(to: &writer)
                    throw error
                }
                try await sink.finish(&writer)
                try await writer.finish(nil)
            }
            return Answer(head: plan.answer, body: body, isStream: true)
        }

        /// Whether the first block of an answer is found without a wait for a disk.
        private func isInMemory(_ plan: CARPlan) -> Bool {
            guard plan.request.path.isEmpty, !configuration.verifiesBlocks,
                let block = try? store.blockIfOpen(for: plan.request.root)
            else { return false }
            return block.size <= ChunkBuffer.chunkSize && block.content.isResident(0..<block.size)
        }

        /// Writes the sections of a walk.
        ///
        /// The gateway's own threads find the blocks, and copy small ones until a chunk is full. The event loop copies
        /// large ones, several to a change of threads.
        private static func write(
            _ blocks: DAGWalk.Iterator,
            on blocking: Blocking,
            to sink: inout BodySink,
            _ writer: inout any ResponseBodyWriter
        ) async throws {
            var blocks = blocks
            var batch: ArraySlice<Block> = []
            while true {
                try await blocking.run {
                    try sink.collect(sections: &batch)
                    while batch.isEmpty {
                        batch = try await blocks.nextBatch(limit: batchSize)[...]
                        guard !batch.isEmpty else { return }
                        try sink.collect(sections: &batch)
                    }
                }
                guard let next = batch.first else { return }
                if next.size <= BodySink.smallSizeMax { try await sink.flush(to: &writer) }
                while let block = batch.first, block.size > BodySink.smallSizeMax {
                    try await sink.write(section: block, to: &writer)
                    batch.removeFirst()
                }
            }
        }
    }
#endif
