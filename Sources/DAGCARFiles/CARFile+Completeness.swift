internal import DAGBytes
internal import DAGCAR
package import DAGIPLD
internal import DAGMounts
package import DAGMultiformats

/// Whether a CAR has every block below its roots.
package struct CARCompleteness: Sendable {
    /// How many missing CIDs are kept.
    package static let missingMax = 1000

    /// Blocks below the roots that the CAR has, each once.
    package var reached: UInt64 = 0
    /// Blocks below the roots that the CAR lacks, each once.
    package var missingCount: UInt64 = 0
    /// The first of them, depth first.
    package var missing: [CID] = []
    /// Blocks below the roots whose codec is unknown, so that they may have links.
    package var undecoded: UInt64 = 0
    /// Where the DAG is none that can be walked.
    package var fault: IPLDError?

    /// Whether nothing is missing.
    package var isComplete: Bool { missingCount == 0 && fault == nil }
}

extension CARFile {
    /// The largest number of distinct blocks that completeness is found out for.
    package static let completenessCountMax = 1 << 27

    /// Follows every link below the roots, and looks for a section with its multihash.
    ///
    /// The blocks are not hashed: see `verify`. Nothing is read through a mapping.
    ///
    /// *Cost*: a walk over the section headers; then each block of dag-pb, dag-cbor and dag-json is read once. At most
    /// 107 bytes of memory for each distinct block. Blocks the calling thread.
    ///
    /// - Parameter progress: Told the number of blocks that were looked for, now and then.
    /// - Returns: What is missing.
    /// - Throws: `CARError`, `MountError`; `.limitExceeded` if there are more than `completenessCountMax` distinct
    ///   blocks.
    package func completeness(progress: ((UInt64) -> Void)? = nil) throws -> CARCompleteness {
        let table = try sectionTable()
        var limits = DAGLimits()
        limits.distinctBlocksMax = Self.completenessCountMax
        // Whatever a section holds can be read.
        limits.blockSizeMax = Int(clamping: max(self.limits.sectionSizeMax, 8 << 20))
        // A walk needs no more, for a CAR with an old block in a form of its own is complete too.
        limits.requiresCanonicalForm = false
        var found = CARCompleteness()
        var traversal = DAGTraversal(below: layout.roots, limits: limits)
        do {
            while true {
                let visits = try traversal.nextVisits(limit: 64)
                guard let last = visits.last else { break }
                for visit in visits { found.record(visit.cid, in: table) }
                progress?(found.reached + found.missingCount)
                guard last.isDecoded else { continue }
                guard let offset = table.offset(of: last.cid) else {
                    traversal.skip()
                    continue
                }
                let block = try readBlock(at: offset)
                try withExtendedLifetime(block.owner) { try traversal.receive(block.view) }
            }
        } catch let error as IPLDError {
            found.fault = error
        }
        return found
    }

    private func sectionTable() throws -> SectionTable {
        var table = SectionTable()
        var walk = walk()
        try walk.forEach { section, digest in
            guard !section.cid.isIdentity else { return }
            table.insert(hashCode: section.cid.hashCode, digest: digest, offset: section.offset)
            guard table.count <= Self.completenessCountMax else {
                throw CARError(
                    .limitExceeded,
                    at: section.offset,
                    "more than \(Self.completenessCountMax) distinct blocks"
                )
            }
        }
        return table
    }

    /// The bytes that are read to find out where a section's data are.
    private static let headSize: UInt64 = 512

    /// Reads the block of a section that the walk has found before.
    private func readBlock(at offset: UInt64) throws -> (view: ByteView, owner: OwnedBytes) {
        let remaining = layout.dataSize - offset
        var size = min(remaining, Self.headSize)
        while true {
            let head = try source.read(at: layout.dataOffset + offset, size: Int(size))
            let section = withExtendedLifetime(head) {
                Section.reading(head.view, at: 0, of: offset, remaining: Int(remaining))
            }
            guard let section else {
                // A CID that is longer than the head.
                guard size < remaining else {
                    throw CARError(.malformedSection, at: offset, "the section has changed")
                }
                size = min(remaining, size * 16)
                continue
            }
            let bytes = try source.read(
                at: layout.dataOffset + section.dataOffset,
                size: Int(section.dataSize)
            )
            return (bytes.view, bytes)
        }
    }
}

extension SectionTable {
    fileprivate func offset(of cid: CID) -> UInt64? {
        cid.withDigest { offset(hashCode: cid.hashCode, digest: $0) }
    }
}

extension CARCompleteness {
    fileprivate mutating func record(_ cid: CID, in table: SectionTable) {
        guard table.offset(of: cid) != nil else {
            missingCount += 1
            if missing.count < Self.missingMax { missing.append(cid) }
            return
        }
        reached += 1
        guard !LinkList.areFound(in: cid.codec), !LinkList.isAlwaysEmpty(for: cid.codec) else {
            return
        }
        undecoded += 1
    }
}
