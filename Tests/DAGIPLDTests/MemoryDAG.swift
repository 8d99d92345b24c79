import DAGBytes
import DAGCAR
import DAGIPLD
import DAGMultiformats
import Foundation
import TestSupport

/// Blocks in memory, for a traversal without a store.
struct MemoryDAG {
    var blocks: [Multihash: [UInt8]] = [:]

    init(_ blocks: [CARBuilder.Block] = []) {
        for block in blocks { self.blocks[block.cid.multihash] = block.data }
    }

    /// The blocks of a CAR among the vectors, and its first root.
    static func vector(_ path: String) throws -> (dag: MemoryDAG, root: CID) {
        let bytes = [UInt8](try Data(contentsOf: Vectors.url("public-repos/\(path)")))
        return try bytes.withView { file in
            let layout = try CARLayout(reading: file)
            let start = Int(layout.dataOffset)
            let payload = file[start..<start + Int(layout.dataSize)]
            var scanner = SectionScanner(start: layout.headerSize, payloadSize: layout.dataSize)
            var dag = MemoryDAG()
            var section = Section.none
            while case .section = try scanner.next(in: payload, at: 0, into: &section) {
                let cidStart = Int(section.dataOffset) - section.cid.size
                let cid = try CID(payload[cidStart..<Int(section.dataOffset)])
                let end = Int(section.dataOffset + section.dataSize)
                dag.blocks[cid.multihash] = payload[Int(section.dataOffset)..<end].copied
            }
            guard let root = layout.roots.first else { throw CocoaError(.fileReadUnknown) }
            return (dag, root)
        }
    }

    /// The end of a walk: every block that was emitted, and the error.
    struct Outcome {
        var cids: [CID] = []
        /// How many blocks were read.
        var readCount = 0
        var error: IPLDError?
        var missing: CID?
    }

    /// Walks to the end, to an error, or until a block is missing.
    func walk(_ request: DAGRequest, limit: Int = 5, countMax: Int = .max) -> Outcome {
        Self.walk(request, limit: limit, countMax: countMax) { blocks[$0.multihash] }
    }

    /// Does the same over blocks that are made when they are asked for.
    static func walk(
        _ request: DAGRequest,
        limit: Int = 5,
        countMax: Int = .max,
        _ block: (CID) -> [UInt8]?
    ) -> Outcome {
        var outcome = Outcome()
        var traversal = DAGTraversal(request)
        do throws(IPLDError) {
            while outcome.cids.count < countMax {
                let visits = try traversal.nextVisits(limit: limit)
                guard let last = visits.last else { return outcome }
                for visit in visits {
                    guard let bytes = block(visit.cid) else {
                        outcome.missing = visit.cid
                        return outcome
                    }
                    if let size = visit.expectedSize, size != UInt64(bytes.count) {
                        throw IPLDError(.malformedBlock, "", cid: visit.cid)
                    }
                    if visit.isEmitted { outcome.cids.append(visit.cid) }
                }
                guard last.isDecoded, let bytes = block(last.cid) else { continue }
                outcome.readCount += 1
                try bytes.withView { view throws(IPLDError) in try traversal.receive(view) }
            }
        } catch {
            outcome.error = error
        }
        return outcome
    }
}
