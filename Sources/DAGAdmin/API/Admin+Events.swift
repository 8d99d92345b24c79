#if Node
    internal import AdminMessages
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import HummingbirdCore
    internal import NIOCore
    internal import ServiceLifecycle
    internal import SharedReads

    extension Admin {
        /// The time after which a stream without events sends a line.
        private static let pause = Duration.seconds(15)
        /// The number of events that wait for a slow reader.
        private static let bufferSize = 1024

        /// The stream of events, without leases.
        ///
        /// Source: WHATWG HTML, "Server-sent events", section 9.2.6.
        func events() -> AdminReply {
            let store = store
            return AdminReply(type: "text/event-stream") { writer in
                let buffer = EventBuffer(capacity: Self.bufferSize)
                guard let number = store.addSink(buffer, isReader: false) else { return }
                let clock = OwnedTask<Void> {
                    while true {
                        try await Task.sleep(for: Self.pause)
                        buffer.tick()
                    }
                }
                defer {
                    store.removeSink(number)
                    clock.cancel()
                }
                // At once, so that the reader knows that it listens.
                try await writer.write(ByteBuffer(string: ": the events of shards\n\n"))
                // An open page must not keep the node from ending.
                try await withGracefulShutdownHandler {
                    for await _ in buffer.signals {
                        try await writer.write(ByteBuffer(bytes: Self.text(of: buffer.take())))
                    }
                } onGracefulShutdown: {
                    buffer.finish()
                }
            }
        }

        private static func text(of taken: ([(ShardEvent, UInt64)], UInt64)) -> [UInt8] {
            let (events, dropped) = taken
            var bytes: [UInt8] = []
            if dropped > 0 { bytes += "event: dropped\ndata: {\"count\":\(dropped)}\n\n".utf8 }
            for (event, time) in events { bytes += text(of: event, time) }
            return bytes.isEmpty ? Array(": waits\n\n".utf8) : bytes
        }

        private static func text(of event: ShardEvent, _ time: UInt64) -> [UInt8] {
            var json = JSONWriter()
            json.object { json in
                json.member("number", event.number)
                json.member("operation", event.operation.rawValue)
                json.member("key", event.key.text)
                json.member("state", event.state?.rawValue)
                json.member("references", event.references)
                json.member("error", event.error?.code.name)
                json.member("message", event.error?.message)
                json.member("time", time.asTimestamp)
            }
            return Array("id: \(event.number)\nevent: shard\ndata: ".utf8) + json.bytes
                + Array("\n\n".utf8)
        }
    }

    /// The events that wait for one reader; the oldest go where there are too many.
    ///
    /// *Concurrency*: any thread; one task reads.
    private final class EventBuffer: EventSink {
        private struct State {
            var events = FIFOQueue<(ShardEvent, UInt64)>()
            var dropped: UInt64 = 0
        }

        let includesLeases = false
        /// An element when there may be events, and at each tick.
        let signals: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation
        private let capacity: Int
        private let state = Lock(State())

        init(capacity: Int) {
            self.capacity = capacity
            (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }

        func receive(_ event: ShardEvent) -> Bool {
            let isWhole = state.withLock { state in
                state.events.append((event, WallClock.milliseconds))
                guard state.events.count > capacity else { return true }
                state.events.popFirst()
                state.dropped += 1
                return false
            }
            continuation.yield()
            return isWhole
        }

        /// Wakes the reader, which then shows that the connection is open.
        func tick() { continuation.yield() }

        func finish() { continuation.finish() }

        /// Takes all events with their times, and the number of those that were lost before them.
        func take() -> ([(ShardEvent, UInt64)], UInt64) {
            state.withLock { state in
                var events: [(ShardEvent, UInt64)] = []
                while let event = state.events.popFirst() { events.append(event) }
                defer { state.dropped = 0 }
                return (events, state.dropped)
            }
        }
    }
#endif
