#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import GatewayRequests
    internal import HummingbirdCore
    internal import NIOCore

    extension Responder {
        /// Executes the plan for the CAR of a shard.
        ///
        /// The bytes are read from the file, and not from its mapping: the cost is the same, and a file that becomes
        /// shorter is an error without the guard. The stream holds no lease, so a slow client cannot keep a shard from
        /// being destroyed; the file stays open until the stream ends.
        ///
        /// - Throws: `GatewayRefusal`; `DAGStoreError`.
        func answer(
            _ plan: PiecePlan,
            isHead: Bool
        ) async throws -> Answer {
            let key = try ShardKey(plan.key)
            let shard = try await store.acquire(key, deadline: deadline)
            defer { shard.release() }
            let head = plan.answer(size: shard.sourceSize, version: shard.sourceVersion)
            guard !isHead, let part = head.body else { return Answer(head) }
            let size = part.upperBound - part.lowerBound
            let place = try traffic.admitStream(size: size)
            let source = try await blocking.call { try shard.openSource() }
            let body = ResponseBody(contentLength: Int(size)) { [traffic, blocking] writer in
                // The stream's place is free when its body has ended.
                defer { withExtendedLifetime(place) {} }
                var sink = BodySink(traffic, blocking, size: size)
                try await sink.write(from: source, part, to: &writer)
                try await sink.finish(&writer)
                try await writer.finish(nil)
            }
            return Answer(head: head, body: body, isStream: true)
        }
    }
#endif
