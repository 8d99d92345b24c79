#if Node
    internal import GatewayRequests
    internal import SharedReads

    /// How much a gateway sends now, and has sent in the current period.
    ///
    /// *Concurrency*: any thread.
    final class Traffic: Sendable {
        private struct State {
            var streams = 0
            var bytes: UInt64 = 0
            var periodEnd = ContinuousClock.now
        }

        private let state = Lock(State())
        private let streamsMax: Int
        private let retryAfter: Duration
        private let bytesMax: UInt64?
        private let period: Duration
        private let observer: (any GatewayObserver)?
        /// The most bytes of one answer.
        let requestBytesMax: UInt64

        init(_ configuration: GatewayConfiguration, _ observer: (any GatewayObserver)? = nil) {
            self.observer = observer
            streamsMax = configuration.streamsMax
            retryAfter = configuration.retryAfter
            bytesMax = configuration.totalBytesMax
            period = configuration.totalBytesPeriod
            requestBytesMax = configuration.requestBytesMax ?? .max
        }

        /// The number of streams now.
        var streamCount: Int { state.withLock { $0.streams } }

        /// Admits an answer.
        ///
        /// - Parameter size: The number of bytes of content; nil if it is unknown.
        /// - Throws: Status 413 if the answer is larger than one may be; status 429 if the period's bytes are used up.
        func admit(size: UInt64?) throws(GatewayRefusal) {
            guard size ?? 0 <= requestBytesMax else {
                throw GatewayRefusal(
                    413,
                    "The content has \(size ?? 0) bytes; this gateway sends at most \(requestBytesMax) at once"
                )
            }
            guard let bytesMax else { return }
            let wait = state.withLock { state -> Duration? in
                let now = ContinuousClock.now
                if now >= state.periodEnd {
                    state.bytes = 0
                    state.periodEnd = now + period
                }
                return state.bytes < bytesMax ? nil : state.periodEnd - now
            }
            guard let wait else { return }
            throw Self.tooMany("This gateway has sent all it may for now", wait)
        }

        /// Admits a stream.
        ///
        /// - Returns: The stream's place, which its end frees.
        /// - Throws: As `admit(size:)`; status 429 if there are too many streams.
        func admitStream(size: UInt64?) throws(GatewayRefusal) -> Place {
            try admit(size: size)
            let isAdmitted = state.withLock { state in
                guard state.streams < streamsMax else { return false }
                state.streams += 1
                return true
            }
            guard isAdmitted else { throw Self.tooMany("This gateway is busy", retryAfter) }
            return Place(self)
        }

        /// Counts bytes of content that were sent.
        func count(_ bytes: Int) {
            observer?.countSent(bytes)
            guard bytesMax != nil else { return }
            state.withLock { $0.bytes &+= UInt64(bytes) }
        }

        private static func tooMany(_ message: String, _ wait: Duration) -> GatewayRefusal {
            // Whole seconds, upwards.
            let (seconds, attoseconds) = wait.components
            let value = max(1, seconds + (attoseconds > 0 ? 1 : 0))
            return GatewayRefusal(
                429,
                "\(message); try again in \(value) s",
                fields: [GatewayField(.retryAfter, String(value))]
            )
        }

        /// An answer whose size was unknown has more bytes than one may have.
        struct OverBudget: Error, CustomStringConvertible {
            let bytesMax: UInt64
            var description: String { "the answer has more than \(bytesMax) bytes" }
        }

        /// The place of one stream among those that may be sent at once.
        final class Place: Sendable {
            private let traffic: Traffic

            fileprivate init(_ traffic: Traffic) { self.traffic = traffic }

            deinit { traffic.state.withLock { $0.streams -= 1 } }
        }
    }
#endif
