internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGHashing
internal import DAGIPLD
internal import DAGMounts
internal import DAGMultiformats

/// Finds the blocks of a CAR by their CIDs, and verifies each.
///
/// *Memory*: 24 bytes a section, and the blocks that are held. *Concurrency*: one thread.
final class CARBlocks {
    /// The blocks that may be held at once, with the places of their links, in bytes.
    ///
    /// A folder holds at most a block for each level of its HAMT, and a file one for each of its levels.
    private static let heldSizeMax = 128 << 20
    /// What a link adds to the size of a block that is held.
    private static let linkSize = 96

    /// A section, by a hash that attackers cannot choose.
    private struct Section {
        var hash: UInt64
        var dataOffset: UInt64
        var dataSize: UInt64
    }

    private let file: CARFile
    private let key = KeyedHash(key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
    private var sections: [Section] = []
    private let readsMax: UInt64
    private var heldSize = 0
    /// The blocks that were asked for.
    private(set) var reads: UInt64 = 0

    /// Walks over the sections of a CAR.
    ///
    /// - Parameters:
    ///   - file: The CAR.
    ///   - limits: Bounds for the number of reads.
    /// - Throws: `CARError`, `MountError`.
    init(_ file: CARFile, _ limits: ExtractionLimits) throws {
        self.file = file
        var sections: [Section] = []
        var walk = file.walk()
        let dataOffset = file.layout.dataOffset
        try walk.forEach { [key] section, digest in
            sections.append(
                Section(
                    hash: key.hash(digest).high,
                    dataOffset: dataOffset + section.dataOffset,
                    dataSize: section.dataSize
                )
            )
        }
        sections.sort { ($0.hash, $0.dataOffset) < ($1.hash, $1.dataOffset) }
        self.sections = sections
        readsMax = UInt64(sections.count).multipliedSaturating(by: limits.expansionMax)
            .addingSaturating(limits.freeReads)
    }

    /// Reads a block and verifies it.
    ///
    /// - Throws: `.blockNotFound`, `.hashMismatch`, `.unsupportedHash`; `.limitExceeded` after too many reads;
    ///   `MountError`.
    func bytes(of cid: CID) throws -> OwnedBytes {
        reads += 1
        guard reads <= readsMax else {
            throw UnixFSFilesError(
                .limitExceeded,
                "the DAG leads to more than \(readsMax) blocks, far more than the CAR has"
            )
        }
        guard !cid.isIdentity else { return cid.withDigest { OwnedBytes(copying: $0) } }
        let hash = cid.withDigest { key.hash($0).high }
        var index = firstSection(with: hash)
        var failure = UnixFSFilesError(
            .blockNotFound,
            "the CAR has no block \(cid.briefText)",
            cid: cid
        )
        while index < sections.count, sections[index].hash == hash {
            let section = sections[index]
            let bytes = try file.source.read(at: section.dataOffset, size: Int(section.dataSize))
            let outcome = cid.withDigest { digest in
                BlockHash.check(code: cid.hashCode, digest: digest, data: bytes.view)
            }
            switch outcome {
            case .matches: return bytes
            case .differs:
                failure = UnixFSFilesError(
                    .hashMismatch,
                    "the block at byte \(section.dataOffset) is not what its CID says: \(cid.briefText)",
                    cid: cid
                )
            case .tooShort, .unsupported:
                failure = UnixFSFilesError(
                    .unsupportedHash,
                    "the block \(cid.briefText) cannot be verified: its hash function is unknown or its digest short",
                    cid: cid
                )
            }
            index += 1
        }
        throw failure
    }

    private func firstSection(with hash: UInt64) -> Int {
        var low = 0
        var high = sections.count
        while low < high {
            let middle = (low + high) / 2
            if sections[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Reads and decodes a block; the block is held until the last reference goes.
    ///
    /// - Throws: The errors of `bytes(of:)`; `.notUnixFS`; `.malformedBlock` of `IPLDError`.
    func block(_ cid: CID) throws -> UnixFSBlock {
        let block = try UnixFSBlock(cid, try bytes(of: cid), owner: self)
        guard heldSize <= Self.heldSizeMax else {
            throw UnixFSFilesError(
                .limitExceeded,
                "the DAG is so deep or wide that it takes more than \(Self.heldSizeMax >> 20) MiB of memory"
            )
        }
        return block
    }

    /// Returns what a block of `size` bytes counts.
    static func heldSize(of size: Int, links: Int) -> Int { size + links * linkSize }

    func hold(_ size: Int) { heldSize += size }
    func release(_ size: Int) { heldSize -= size }
}

extension UInt64 {
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }

    func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, isOver) = multipliedReportingOverflow(by: other)
        return isOver ? .max : product
    }
}
