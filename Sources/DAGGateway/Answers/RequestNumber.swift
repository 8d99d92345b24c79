#if Node
    internal import Synchronization

    /// The name of one request in the log and in the field `X-Request-Id`.
    struct RequestNumber: Sendable, CustomStringConvertible {
        let process: UInt32
        let number: UInt64

        /// The process in hexadecimal, and the number.
        var description: String { "\(String(process, radix: 16))-\(number)" }
    }

    /// Numbers the requests of a gateway.
    final class RequestNumbers: Sendable {
        private let process = UInt32.random(in: 0...UInt32.max)
        private let count = Atomic<UInt64>(0)

        func next() -> RequestNumber {
            let number = count.add(1, ordering: .relaxed).newValue
            return RequestNumber(process: process, number: number)
        }
    }
#endif
