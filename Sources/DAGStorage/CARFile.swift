internal import Bytes
package import CAR
package import Hashing
package import Mounts
internal import Multiformats
package import ShardIndex
package import SystemPackage

/// A CAR file on this machine: its layout, and the walks over it.
package final class CARFile: Sendable {
    /// The file.
    package let file: LocalFile
    private let mapping: MappedFile?
    /// Where things lie in it.
    package let layout: CARLayout
    /// What is accepted.
    package let limits: CARLimits

    /// Opens the file at `path` and reads its headers.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - limits: What is accepted.
    ///   - isMapped: Whether the file is mapped too, for `mapped` and `verify`; indexing needs no mapping,
    ///     so that a file that somebody makes shorter meanwhile ends in an error and not in a signal.
    /// - Throws: `MountError`, `CARError`.
    package init(
        opening path: FilePath,
        limits: CARLimits = CARLimits(),
        isMapped: Bool = true
    ) throws {
        let file = try LocalFile(opening: path)
        layout = try CARLayout(fileSize: file.size, limits: limits) { offset, size in
            let bytes = try file.read(at: offset, size: size)
            return withExtendedLifetime(bytes) { bytes.view.copied }
        }
        mapping = isMapped ? try MappedFile(file, access: .random) : nil
        self.file = file
        self.limits = limits
    }

    /// The file in memory, if it was opened so.
    package var mapped: MappedFile {
        guard let mapping else { preconditionFailure("the CAR was opened without a mapping") }
        return mapping
    }

    /// A walk over the sections.
    package func walk() -> SectionWalk { SectionWalk(file, layout: layout, limits: limits) }

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

    /// How often progress is told, in bytes.
    private static let progressStep: UInt64 = 16 << 20

    /// Builds the index of this CAR.
    ///
    /// - Parameters:
    ///   - hash: The store's keyed hash.
    ///   - policy: How pages choose their encodings.
    ///   - sortBudget: Memory for sorting, in bytes.
    ///   - sink: Where the pieces go.
    ///   - progress: Told now and then.
    /// - Returns: The root, and what the pages chose.
    /// - Throws: `CARError`, `MountError`, `ShardIndexError`.
    package func buildIndex(
        hash: KeyedHash,
        policy: PagePolicy,
        sortBudget: Int,
        sink: any IndexSink,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) throws -> (root: IndexRoot, statistics: PageStatistics) {
        var builder = try IndexBuilder(
            hash: hash,
            policy: policy,
            sortBudget: sortBudget,
            dataOffset: layout.dataOffset,
            payloadSize: layout.dataSize,
            headerSize: layout.headerSize,
            roots: layout.roots,
            sink: sink
        )
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
            if let progress, section.offset - told >= Self.progressStep {
                told = section.offset
                progress(
                    IndexingProgress(
                        bytesDone: section.offset,
                        bytesTotal: layout.dataSize,
                        sections: count
                    )
                )
            }
        }
        return try builder.finish(dataEnd: walk.position)
    }
}
