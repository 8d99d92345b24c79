internal import DAGMounts
internal import Synchronization

/// Bytes in memory as a source of ranges; a test says what is told of every read.
package final class MemoryRandomSource: RandomSource {
    private let bytes: [UInt8]
    private let beforeRead: @Sendable (Int) async throws -> Void
    private let lengthChange: Int
    private let closed = Mutex(0)

    /// A source of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What is read.
    ///   - lengthChange: How many bytes more, or fewer, every read returns than it must.
    ///   - beforeRead: Called with the size of each read before it returns.
    package init(
        _ bytes: [UInt8],
        lengthChange: Int = 0,
        beforeRead: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) {
        self.bytes = bytes
        self.lengthChange = lengthChange
        self.beforeRead = beforeRead
    }

    package var size: UInt64 { UInt64(bytes.count) }

    /// How often the source was closed.
    package var closeCount: Int { closed.withLock { $0 } }

    package func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
        let start = Int(min(offset, UInt64(bytes.count)))
        let end = start + min(size, bytes.count - start)
        try await beforeRead(end - start)
        let read = Array(bytes[start..<end])
        guard lengthChange < 0 else { return read + [UInt8](repeating: 0, count: lengthChange) }
        return Array(read.dropLast(-lengthChange))
    }

    package func close() { closed.withLock { $0 += 1 } }
}

/// Bytes in memory that come once, in pieces of a bounded size.
package final class MemorySequentialSource: SequentialSource {
    /// The number of bytes that it says to have.
    package let expectedSize: UInt64?
    private let bytes: [UInt8]
    private let pieceSizeMax: Int
    private let beforeRead: @Sendable (Int) async throws -> Void
    private let offset = Mutex(0)
    private let closed = Mutex(0)

    /// A source of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What is read.
    ///   - expectedSize: The number of bytes that it says to have.
    ///   - pieceSizeMax: The most bytes that one read returns.
    ///   - beforeRead: Called with the size of each read before it returns; zero at the end.
    package init(
        _ bytes: [UInt8],
        expectedSize: UInt64? = nil,
        pieceSizeMax: Int = .max,
        beforeRead: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) {
        self.bytes = bytes
        self.expectedSize = expectedSize
        self.pieceSizeMax = pieceSizeMax
        self.beforeRead = beforeRead
    }

    /// How often the source was closed.
    package var closeCount: Int { closed.withLock { $0 } }

    package func read(upTo size: Int) async throws -> [UInt8] {
        let range = offset.withLock { offset in
            let start = offset
            offset += min(size, pieceSizeMax, bytes.count - start)
            return start..<offset
        }
        try await beforeRead(range.count)
        return Array(bytes[range])
    }

    package func close() { closed.withLock { $0 += 1 } }
}
