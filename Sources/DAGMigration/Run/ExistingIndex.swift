internal import DAGBytes
internal import DAGCAR
package import DAGMounts
internal import DAGMultiformats
package import DAGStorage
package import SystemPackage

/// An index file that another program made of a CAR.
///
/// A shard that is registered with it answers `find` and `has` before the store has read its CAR. The store reads
/// sizes and codecs, which the file does not contain, from the CAR when the shard is first used.
///
/// *Concurrency*: one thread; every call blocks.
package struct ExistingIndex: Sendable {
    /// The number of records that are compared with the CAR.
    package enum Validation: String, Sendable, CaseIterable {
        /// A thousand records, including the first and the last.
        case sample
        /// Every record.
        case full
    }

    private let path: FilePath

    private static let sampleSize: UInt64 = 1000
    private static let progressStep: UInt64 = 4096
    private static let budget = 96 << 20
    /// The most bytes before a digest: the length of the section and four varints.
    private static let headSizeMax = 50

    /// The index file at `path`.
    package init(at path: FilePath) { self.path = path }

    /// Registers a CAR with this index.
    ///
    /// At the offset of each compared record the CAR must have a section with its multihash. The comparison does not
    /// find sections that the file leaves out.
    ///
    /// *Cost*: three walks over the file, and a read of the CAR for each compared record. *Memory*: at most about
    /// 200 MB.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - mount: The CAR.
    ///   - store: The store that registers it.
    ///   - validation: The number of records to compare.
    ///   - progress: Receives the number of bytes of the file that were read, and of all.
    /// - Throws: `MigrationError` with `.malformedIndex` if a record is wrong; `.truncated`, `.sourceUnreadable`;
    ///   `MountError`, `CARError` if the CAR cannot be read; `DAGStoreError(.shardExists)`.
    package func register(
        _ key: ShardKey,
        from mount: FileMount,
        in store: DAGStore,
        validation: Validation,
        progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws {
        let importer = ShardImporter(store, sortBudget: Self.budget / 2)
        guard try !importer.contains(key) else {
            throw DAGStoreError(
                .shardExists,
                "\(key): the store has a shard of this key",
                shard: key
            )
        }
        let file = try IndexFile(at: path)
        let order = try OffsetOrder(file, budget: Self.budget)
        let source = try LocalFile(opening: mount.path)
        let layout = try CARFile(source, limits: importer.limits).layout
        let end = layout.dataOffset + layout.dataSize
        let step = validation == .full ? 1 : max(1, file.count / Self.sampleSize)
        var number: UInt64 = 0
        let index = ImportedIndex(
            origin: ImportedIndex.Origin(codec: file.codec, hasIdentity: order.hasIdentity),
            offsetMax: order.offsetMax
        ) { add in
            try order.forEach { hashCode, digest, offset in
                if number % step == 0 || offset == order.offsetMax {
                    let (place, isOver) = layout.dataOffset.addingReportingOverflow(offset)
                    guard !isOver, offset >= layout.headerSize, place < end,
                        try Self.hasSection(source, at: place, before: end, hashCode, digest)
                    else {
                        let detail = "the CAR has no such section at offset \(offset)"
                        throw MigrationError(.malformedIndex, path, detail)
                    }
                }
                number += 1
                if number % Self.progressStep == 0 {
                    let part = Double(number) / Double(file.count)
                    progress(UInt64(part * Double(file.size)), file.size)
                }
                try add(ImportedEntry(hashCode: hashCode, digest: digest, offset: offset))
            }
        }
        let shard = ImportedShard(key: key, mountURL: mount.url)
        let prepared = try importer.prepare(shard, index)
        // The comparison is worth nothing if the CAR has changed meanwhile.
        try source.checkUnchanged()
        try importer.commit([prepared])
    }

    /// Whether a section with this multihash begins at `offset`.
    private static func hasSection(
        _ source: LocalFile,
        at offset: UInt64,
        before end: UInt64,
        _ hashCode: UInt64?,
        _ digest: ByteView
    ) throws -> Bool {
        let size = min(end - offset, UInt64(headSizeMax + digest.count))
        let bytes = try source.read(at: offset, size: Int(size))
        return withExtendedLifetime(bytes) {
            let view = bytes.view
            let length = Varint.decode(view, at: 0)
            guard length.size > 0 else { return false }
            guard length.value <= end - offset - UInt64(length.size),
                case .success(let cid) = CIDLayout.decode(view[length.size..<view.count]),
                UInt64(cid.size) <= length.value, hashCode == nil || cid.hashCode == hashCode
            else { return false }
            let start = length.size + cid.digestOffset
            guard start + cid.digestSize <= view.count else { return false }
            return view[start..<start + cid.digestSize].elementsEqual(digest)
        }
    }
}
