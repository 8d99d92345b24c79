internal import DAGBytes
package import DAGCAR
package import DAGMounts
internal import DAGMultiformats
package import ShardIndex
package import SystemPackage

/// The bytes of a CAR: their layout, and the walks over them.
package final class CARFile: Sendable {
    /// Where the bytes are.
    package let source: any ByteSource
    private let mapping: MappedFile?
    /// Where things lie in it.
    package let layout: CARLayout
    /// The limits.
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
    /// Without a mapping, a file that becomes shorter meanwhile gives an error instead of a signal.
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

    /// Calls `body` with a walk that reads headers alone, ahead of the caller where the source is at a distance.
    ///
    /// - Returns: The result of `body`.
    /// - Throws: The errors of `body`.
    package func withHeaderWalk<R>(_ body: (inout SectionWalk) throws -> R) rethrows -> R {
        let end = layout.dataOffset + layout.dataSize
        let places = ScanPlaces(
            payload: layout.dataOffset..<end,
            start: layout.dataOffset + layout.headerSize,
            index: layout.indexOffset.flatMap { $0 < source.size ? $0..<source.size : nil }
        )
        let scan = (source as? RemoteBytes)?.scan(places)
        defer { scan?.cancel() }
        var walk = SectionWalk(source, layout: layout, limits: limits, scan: scan)
        return try body(&walk)
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
    /// Builds the index of this CAR by walking its sections.
    ///
    /// A second thread scans where sections are small and many, and packs the shard's run at the end.
    ///
    /// - Returns: What is not in the sink.
    /// - Throws: `CARError`, `MountError`, `ShardIndexError`, `CancellationError`.
    package func buildIndex(
        _ building: IndexBuilding
    ) throws -> BuiltIndex {
        var builder = try makeBuilder(building)
        var told: UInt64 = 0
        func add(_ batch: borrowing SectionBatch, to builder: inout IndexBuilder) throws {
            try building.checkCancelled()
            try builder.append(batch)
            guard let progress = building.progress, builder.end - told >= Self.progressStep
            else { return }
            told = builder.end
            progress(
                IndexingProgress(
                    bytesDone: builder.end,
                    bytesTotal: layout.dataSize,
                    sections: builder.sectionCount
                )
            )
        }
        let end = try forEachBatch { try add($0, to: &builder) }
        return try builder.finish(dataEnd: end)
    }

    /// Calls `body` with every section, in batches.
    ///
    /// If the first batch has small sections and much is left, a second thread scans the rest. Large sections take a
    /// system call each, and next to no time of the thread that indexes them.
    private func forEachBatch(_ body: (borrowing SectionBatch) throws -> Void) throws -> UInt64 {
        try withHeaderWalk { try forEachBatch(of: &$0, body) }
    }

    private func forEachBatch(
        of walk: inout SectionWalk,
        _ body: (borrowing SectionBatch) throws -> Void
    ) throws -> UInt64 {
        var batch = SectionBatch()
        var goesOnBeside = false
        let outcome = Result {
            try walk.forEach(into: &batch) { full in
                defer { full.removeAll() }
                try body(full)
                goesOnBeside =
                    full.count == SectionBatch.countMax
                    && layout.dataSize - full.end >= SectionPipe.payloadSizeMin
                return !goesOnBeside
            }
        }
        // The sections before a damaged one may have an error of their own, which comes first. After an error of
        // `body` the batch is empty.
        if batch.count > 0 { try body(batch) }
        try outcome.get()
        return goesOnBeside ? try SectionPipe(walk).forEach(body) : walk.position
    }

    package func makeBuilder(_ building: IndexBuilding) throws -> IndexBuilder {
        try IndexBuilder(
            hash: building.hash,
            policy: building.policy,
            sortBudget: building.sortBudget,
            helper: layout.dataSize < SectionPipe.payloadSizeMin
                ? nil : { SystemThread.start("dagstore.pack", $0) },
            dataOffset: layout.dataOffset,
            payloadSize: layout.dataSize,
            headerSize: layout.headerSize,
            roots: layout.roots,
            sink: building.sink
        )
    }
}
