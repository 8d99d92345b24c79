#if Node
    /// What a gateway has answered.
    public struct GatewayReport: Sendable {
        /// The kinds of requests.
        public enum Kind: String, Sendable, CaseIterable {
            /// One block.
            case block
            /// The CAR of a DAG.
            case car
            /// The CAR of a shard.
            case piece
            /// A question of a supervisor or a browser.
            case other
        }

        /// The ways to find a block.
        public enum Lookup: String, Sendable, CaseIterable {
            /// In a shard that is open, on the event loop.
            case open
            /// In any shard, which may be opened or fetched first.
            case any
        }

        /// The kind of the request.
        public let kind: Kind
        /// The status of the answer.
        public let status: Int
        /// The time from the request's head to the end of the answer, in nanoseconds.
        public let nanoseconds: UInt64
    }

    /// Receives what a gateway does, for metrics.
    ///
    /// The gateway calls it on its event loops: it must return at once.
    public protocol GatewayObserver: Sendable {
        /// Receives an answer that has ended.
        func receive(_ report: GatewayReport)
        /// Receives the time of a lookup that found its block, in nanoseconds.
        func receive(_ lookup: GatewayReport.Lookup, nanoseconds: UInt64)
        /// Receives a number of bytes of content that were sent.
        func countSent(_ bytes: Int)
        /// Adds to the number of requests whose answers go on.
        func countActive(_ change: Int)
    }
#endif
