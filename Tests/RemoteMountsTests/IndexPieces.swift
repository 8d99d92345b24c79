import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGHashing
import DAGMounts
import ShardIndex

/// The parts of an index, to compare two of them.
struct IndexPieces: Equatable {
    /// The values in the order of their numbers, and the root.
    var values: [[UInt8]] = []
    /// The code of the error that ended the indexing; nil if there was none.
    var error: String?

    /// Indexes a CAR on this thread.
    init(of source: any ByteSource, _ limits: CARLimits) {
        let sink = Sink()
        do {
            let car = try CARFile(source, limits: limits)
            let built = try car.buildIndex(
                IndexBuilding(
                    hash: KeyedHash(key: (3, 4)),
                    policy: .smallest,
                    sortBudget: 4 << 20,
                    sink: sink
                )
            )
            try source.checkUnchanged()
            values = sink.values + [built.root.encoded(policy: .smallest)]
        } catch let failure as CARError {
            error = "\(failure.code)"
        } catch let failure as MountError {
            error = "\(failure.code)"
        } catch {
            self.error = "\(error)"
        }
    }

    private final class Sink: IndexSink {
        var values: [[UInt8]] = []
        private var spilled: [UInt8] = []

        func writePages(_ number: Int, _ bytes: [UInt8]) { values.append([0] + bytes) }
        func writeSegment(_ number: Int, _ bytes: [UInt8]) { values.append([1] + bytes) }
        func writeInverse(_ number: Int, _ bytes: [UInt8]) { values.append([2] + bytes) }
        func makeBuffer() -> [UInt8] { [] }

        func spill(_ bytes: ByteView) -> UInt64 {
            defer { spilled.append(bytes) }
            return UInt64(spilled.count)
        }

        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {
            spilled.withView { body($0[Int(offset)..<Int(offset) + size]) }
        }
    }
}
