#if Node
    internal import DAGMounts
    package import Dispatch
    internal import SharedReads
    package import SystemPackage

    /// Writes lines to a descriptor, on a thread of its own.
    ///
    /// A reader of the lines that stands still stops no request: lines wait in a buffer, and a full buffer drops the
    /// new ones. The next line that is written says how many.
    ///
    /// *Concurrency*: any thread may write; a line costs a lock and a copy.
    package final class LogWriter: Sendable {
        /// The largest number of bytes that wait.
        package static let bufferSize = 1 << 20

        private struct State {
            var waiting: [UInt8] = []
            var dropped = 0
            var isAwake = false
            var isClosed = false
        }

        private let descriptor: FileDescriptor
        private let noteDropped: @Sendable (Int) -> [UInt8]
        private let state = Lock(State())
        private let bell = DispatchSemaphore(value: 0)
        private let end = DispatchSemaphore(value: 0)

        /// Starts the thread.
        ///
        /// - Parameters:
        ///   - descriptor: Where the lines go; it stays open.
        ///   - noteDropped: Makes the line, with a newline, about a number of dropped lines.
        package init(
            to descriptor: FileDescriptor = .standardError,
            noteDropped: @escaping @Sendable (Int) -> [UInt8]
        ) {
            self.descriptor = descriptor
            self.noteDropped = noteDropped
            SystemThread.start("dagstore.log") { self.work() }
        }

        /// Writes a line that ends with a newline.
        package func write(_ line: [UInt8]) {
            let wakes = state.withLock { state in
                guard !state.isClosed, state.waiting.count + line.count <= Self.bufferSize else {
                    state.dropped += 1
                    return false
                }
                state.waiting += line
                defer { state.isAwake = true }
                return !state.isAwake
            }
            if wakes { bell.signal() }
        }

        /// Ends the thread after the lines that wait are written.
        ///
        /// - Parameter limit: How long to wait for it; a descriptor may take no bytes any more.
        package func close(within limit: DispatchTimeInterval = .seconds(1)) {
            let isFirst = state.withLock { state in
                defer { state.isClosed = true }
                return !state.isClosed
            }
            guard isFirst else { return }
            bell.signal()
            _ = end.wait(timeout: .now() + limit)
        }

        private func work() {
            while true {
                bell.wait()
                while true {
                    let (lines, dropped) = state.withLock { state in
                        let taken = (state.waiting, state.dropped)
                        state.waiting = []
                        state.dropped = 0
                        state.isAwake = !taken.0.isEmpty || taken.1 > 0
                        return taken
                    }
                    guard !lines.isEmpty || dropped > 0 else { break }
                    // Nothing can report that the log cannot be written.
                    _ = try? descriptor.writeAll(lines)
                    if dropped > 0 { _ = try? descriptor.writeAll(noteDropped(dropped)) }
                }
                guard !state.withLock({ $0.isClosed }) else { break }
            }
            end.signal()
        }
    }
#endif
