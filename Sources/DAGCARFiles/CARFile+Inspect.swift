internal import DAGBytes
package import DAGCAR
internal import DAGHashing
package import DAGMultiformats

/// The composition of a CAR.
package struct CARInspection: Sendable {
    /// Where things lie.
    package let layout: CARLayout
    /// The codec of the embedded index; nil if there is none or it cannot be read.
    package let indexCodec: UInt64?
    package private(set) var sections: UInt64 = 0
    package private(set) var identitySections: UInt64 = 0
    /// Sections whose CID came before.
    package private(set) var duplicateSections: UInt64 = 0
    package private(set) var minBlock: UInt64 = 0
    package private(set) var maxBlock: UInt64 = 0
    /// Sections by the multicodec of their content.
    package private(set) var codecs: [UInt64: UInt64] = [:]
    /// Sections by the multicodec of their hash function.
    package private(set) var hashes: [UInt64: UInt64] = [:]
    /// The roots that no section has, in header order.
    package private(set) var missingRoots: [CID] = []
    /// Bytes after the first section of length zero.
    package private(set) var nullPadding: UInt64 = 0

    /// How far a walk goes before it tells again how far it is, in bytes.
    private static let progressStep: UInt64 = 1 << 20

    init(of file: CARFile, _ progress: (UInt64) -> Void) throws {
        layout = file.layout
        indexCodec = file.indexCodec
        // Hashed under a secret key: 128 equal bits are equal CIDs.
        let hash = KeyedHash(key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
        var seen: [KeyedHash.Hash128] = []
        var cid = SectionCID()
        var walk = file.walk()
        var roots = RootSearch(layout.roots)
        var next: UInt64 = 0
        minBlock = .max
        try walk.forEach { section, digest in
            if section.offset >= next {
                next = section.offset + Self.progressStep
                progress(section.offset)
            }
            roots.check(section.cid, digest)
            cid.read(section.cid, digest)
            seen.append(cid.bytes.withView { hash.hash($0) })
            count(section)
        }
        missingRoots = roots.missing
        nullPadding = layout.dataSize - walk.position
        sections = UInt64(seen.count)
        seen.sort { $0.high == $1.high ? $0.low < $1.low : $0.high < $1.high }
        duplicateSections = UInt64(zip(seen, seen.dropFirst()).count { $0 == $1 })
        if sections == 0 { minBlock = 0 }
    }

    private mutating func count(_ section: borrowing Section) {
        let size = section.dataSize
        minBlock = min(minBlock, size)
        maxBlock = max(maxBlock, size)
        codecs[section.cid.codec, default: 0] += 1
        hashes[section.cid.hashCode, default: 0] += 1
        if section.cid.isIdentity { identitySections += 1 }
    }
}

extension CARFile {
    /// Walks over the sections and counts; nothing is hashed.
    ///
    /// *Cost*: one walk over the section headers, and 16 bytes of memory a section.
    ///
    /// - Parameter progress: Told the payload offset reached, now and then.
    /// - Returns: The counts.
    /// - Throws: `CARError`, `MountError`.
    package func inspect(progress: (UInt64) -> Void = { _ in }) throws -> CARInspection {
        try CARInspection(of: self, progress)
    }
}
