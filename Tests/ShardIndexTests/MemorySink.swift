import DAGBytes
import ShardIndex

/// Keeps the pieces of an index in memory.
final class MemorySink: IndexSink {
    /// The pieces came in another order than their numbers.
    struct OrderError: Error {}

    private(set) var values: [[UInt8]] = []
    private(set) var segments: [[UInt8]] = []
    private(set) var inverse: [[UInt8]] = []
    private(set) var spillCount = 0
    private var spilled: [UInt8] = []

    func writePages(_ number: Int, _ bytes: [UInt8]) throws {
        guard number == values.count, segments.isEmpty else { throw OrderError() }
        values.append(bytes)
    }

    func writeSegment(_ number: Int, _ bytes: [UInt8]) throws {
        guard number == segments.count else { throw OrderError() }
        segments.append(bytes)
    }

    func writeInverse(_ number: Int, _ bytes: [UInt8]) throws {
        guard number == inverse.count else { throw OrderError() }
        inverse.append(bytes)
    }

    func spill(_ bytes: ByteView) -> UInt64 {
        defer { spilled.append(bytes) }
        spillCount += 1
        return UInt64(spilled.count)
    }

    func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {
        spilled.withView { body($0[Int(offset)..<Int(offset) + size]) }
    }
}
