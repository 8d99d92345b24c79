internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGMultiformats
internal import ShardIndex

/// Reads the sizes, codecs and sections that an index file lacks from the shard's CAR.
extension ShardImporter {
    /// Builds the index of a shard from its CAR, which must have every section of the imported index.
    ///
    /// - Parameters:
    ///   - record: The record of the shard without its CAR.
    ///   - index: The imported index.
    /// - Returns: The shard; nil if the CAR is not a local file, or the configuration has an indexer.
    /// - Throws: A fault of the CAR, see `DAGStoreError.isFaultOfCAR`; and as `prepare`.
    func filled(_ record: ShardRecord, _ index: ImportedIndex) throws -> PreparedShard? {
        guard engine.configuration.indexer == nil,
            let source = try? engine.sources.sourceAtOnce(record, isOpening: false)
        else { return nil }
        defer { source.pin?.release() }
        let limits = engine.worker.limits(of: record)
        let car = try translating {
            try CARFile(source.reader, limits: limits)
        }
        var known: UInt64 = 0
        let (root, parts) = try write(index) { try build($0, $1, from: car, &known) }
        do {
            try translating { try source.reader.checkUnchanged() }
        } catch {
            abandon(parts)
            throw error
        }
        var record = record
        source.facts.apply(to: &record)
        record.origin?.compare(sections: known, of: root.sectionCount)
        record.isIncomplete = false
        record.storeLimits(limits)
        record.setSizes(root)
        return PreparedShard(record: record, parts: parts)
    }

    /// Builds the index of a CAR, and compares the imported index with it on the way.
    ///
    /// - Parameters:
    ///   - index: The imported index.
    ///   - pieces: Receives the pieces.
    ///   - car: The CAR.
    ///   - known: Receives the number of sections in the imported index.
    /// - Returns: The parts of the index that `pieces` lacks.
    /// - Throws: As `filled`.
    private func build(
        _ index: ImportedIndex,
        _ pieces: GenerationWriter,
        from car: CARFile,
        _ known: inout UInt64
    ) throws -> BuiltIndex {
        var builder = try car.makeBuilder(
            IndexBuilding(
                hash: engine.catalog.hash,
                policy: engine.configuration.indexPagePolicy,
                sortBudget: sortBudget,
                sink: pieces
            )
        )
        var walk = car.walk()
        var section = Section.none
        var isThere = try walk.next(into: &section)
        try index.forEach { entry in
            while isThere, section.offset < entry.offset {
                try Self.add(section, walk, to: &builder)
                isThere = try walk.next(into: &section)
            }
            guard isThere, section.offset == entry.offset,
                entry.hashCode == nil || entry.hashCode == section.cid.hashCode,
                walk.digest(of: section).elementsEqual(entry.digest)
            else {
                throw DAGStoreError(
                    .malformedIndex,
                    "the CAR has no such section at offset \(entry.offset)",
                    offset: entry.offset
                )
            }
            known += 1
        }
        while isThere {
            try Self.add(section, walk, to: &builder)
            isThere = try walk.next(into: &section)
        }
        return try builder.finish(dataEnd: walk.position)
    }

    private static func add(
        _ section: borrowing Section,
        _ walk: borrowing SectionWalk,
        to builder: inout IndexBuilder
    ) throws {
        try builder.append(
            offset: section.offset,
            size: UInt64(section.prefixSize) + section.length,
            layout: section.cid,
            digest: walk.digest(of: section)
        )
    }

    /// Deletes an index that no record will name.
    private func abandon(_ parts: IndexParts) {
        guard let generation = parts.generation else { return }
        // If this fails, the index stays on `pending`, and the next open deletes it.
        try? engine.catalog.deleteGeneration(generation, on: engine.writer)
    }
}

extension ShardRecord {
    /// Stores the sizes of an index.
    mutating func setSizes(_ root: IndexRoot) {
        sectionCount = root.sectionCount
        payloadSize = root.payloadSize
        indexSize = root.indexSize
    }
}

extension ShardRecord.Origin {
    /// Sets whether an index file of codec 0x0400 has identity CIDs, which only a comparison with the CAR shows.
    ///
    /// - Parameters:
    ///   - known: The sections in the index file.
    ///   - count: All sections of the CAR.
    mutating func compare(sections known: UInt64, of count: UInt64) {
        guard codec == CARIndex.sorted else { return }
        self = Self(codec: codec, hasIdentity: known == count)
    }
}

extension DAGStoreError {
    /// Whether the CAR causes the error: the CAR is unreadable, or the index belongs to another CAR.
    var isFaultOfCAR: Bool {
        switch code {
        case .malformedCAR, .truncated, .unsupportedVersion, .limitExceeded, .malformedIndex,
            .sourceChanged, .mountUnreachable, .mountGone, .fetchFailed:
            true
        default: false
        }
    }
}
