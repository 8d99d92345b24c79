internal import Bytes
package import CAR
package import Hashing
package import Mounts
internal import Multiformats
package import ShardIndex
package import SystemPackage

/// The bytes of a CAR: their layout, and the walks over them.
package final class CARFile: Sendable {
    /// Where the bytes are.
    package let source: any ByteSource
    private let mapping: MappedFile?
    /// Where things lie in it.
    package let layout: CARLayout
    /// What is accepted.
    package let limits: CARLimits

    /// Opens the file at `path`, maps it, and reads its headers.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - limits: What is accepted.
    /// - Throws: `MountError`, `CARError`.
    package convenience init(
        opening path: FilePath,
        limits: CARLimits = CARLimits()
    ) throws {
        let file = try LocalFile(opening: path)
        try self.init(file, limits: limits, mapping: { try MappedFile(file, access: .random) })
    }

    /// Reads the headers of a source.
    ///
    /// Without a mapping a file that somebody makes shorter meanwhile ends in an error and not in a signal.
    ///
    /// - Parameters:
    ///   - source: Where the bytes are.
    ///   - limits: What is accepted.
    ///   - mapping: Maps the source, for `mapped`; walks need none.
    /// - Throws: `MountError`, `CARError`.
    package init(
        _ source: any ByteSource,
        limits: CARLimits,
        mapping: () throws -> MappedFile? = { nil }
    ) throws {
        layout = try CARLayout(fileSize: source.size, limits: limits) { offset, size in
            let bytes = try source.read(at: offset, size: size)
            return withExtendedLifetime(bytes) { bytes.view.copied }
        }
        self.mapping = try mapping()
        self.source = source
        self.limits = limits
    }

    /// The file in memory, if it was opened so.
    package var mapped: MappedFile {
        guard let mapping else { preconditionFailure("the CAR was opened without a mapping") }
        return mapping
    }

    /// A walk over the sections.
    package func walk() -> SectionWalk { SectionWalk(source, layout: layout, limits: limits) }

    /// The index at the file's end, if there is one.
    ///
    /// - Throws: `CARError` if it cannot be read.
    package func embeddedIndex() throws(CARError) -> CARIndex? {
        guard let indexOffset = layout.indexOffset else { return nil }
        guard let bytes = layout.index(in: mapped.bytes) else {
            throw CARError(.truncated, at: indexOffset, "the index starts after the file's end")
        }
        return try CARIndex(reading: bytes)
    }

    /// The codec of the index at the file's end; nil if there is none, or if it cannot be read.
    package var indexCodec: UInt64? {
        guard let offset = layout.indexOffset, offset < source.size else { return nil }
        let size = Int(min(source.size - offset, UInt64(Varint.sizeMax)))
        guard let bytes = try? source.read(at: offset, size: size) else { return nil }
        let codec = withExtendedLifetime(bytes) { Varint.decode(bytes.view, at: 0) }
        return codec.size > 0 ? codec.value : nil
    }

    /// How often progress is told, in bytes.
    private static let progressStep: UInt64 = 16 << 20
    /// How often cancellation is looked for, in sections.
    private static let cancellationStep: UInt64 = 4096

    /// Builds the index of this CAR by walking its sections.
    ///
    /// - Returns: What is not in the sink.
    /// - Throws: `CARError`, `MountError`, `ShardIndexError`, `CancellationError`.
    package func buildIndex(
        _ building: IndexBuilding
    ) throws -> BuiltIndex {
        var builder = try makeBuilder(building)
        var walk = walk()
        var count: UInt64 = 0
        var told: UInt64 = 0
        try walk.forEach { section, digest in
            try builder.append(
                offset: section.offset,
                size: UInt64(section.prefixSize) + section.length,
                layout: section.cid,
                digest: digest
            )
            count += 1
            if count % Self.cancellationStep == 0 { try building.checkCancelled() }
            guard let progress = building.progress, section.offset - told >= Self.progressStep
            else { return }
            told = section.offset
            progress(
                IndexingProgress(
                    bytesDone: section.offset,
                    bytesTotal: layout.dataSize,
                    sections: count
                )
            )
        }
        return try builder.finish(dataEnd: walk.position)
    }

    func makeBuilder(_ building: IndexBuilding) throws -> IndexBuilder {
        try IndexBuilder(
            hash: building.hash,
            policy: building.policy,
            sortBudget: building.sortBudget,
            dataOffset: layout.dataOffset,
            payloadSize: layout.dataSize,
            headerSize: layout.headerSize,
            roots: layout.roots,
            sink: building.sink
        )
    }
}

/// How an index is built.
package struct IndexBuilding {
    /// The store's keyed hash.
    package let hash: KeyedHash
    /// How pages choose their encodings.
    package let policy: PagePolicy
    /// Memory for sorting, in bytes.
    package let sortBudget: Int
    /// Where the pieces go.
    package let sink: any IndexSink
    /// Told now and then.
    package var progress: ((IndexingProgress) -> Void)?
    /// Throws if nobody wants the index any more.
    package var checkCancelled: () throws -> Void = {}
}
