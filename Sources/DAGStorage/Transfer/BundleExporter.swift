internal import DAGBytes
internal import DAGCatalog
internal import DAGHashing
internal import ShardIndex

/// A bundle that was exported.
package struct ExportedBundle: Equatable, Sendable {
    /// The SHA-256 of all bytes.
    package let name: [UInt8]
    /// The number of bytes.
    package let size: UInt64
    /// The number of sections, with repeated ones.
    package let sectionCount: UInt64
    /// The number of different multihashes.
    package let multihashCount: UInt64
    /// The size of the payload in bytes.
    package let payloadSize: UInt64
    /// The size of the whole source in bytes.
    package let sourceSize: UInt64
    /// The number of the CAR's roots.
    package let rootCount: Int
}

/// Writes the full index of a shard as a bundle, which `BundleImporter` of another store reads.
///
/// *Concurrency*: any thread; all calls block.
package struct BundleExporter: Sendable {
    /// The largest piece of a bundle in bytes.
    package static let pieceSizeMax = 1 << 20

    private let engine: StoreEngine

    /// Creates an exporter of `store`.
    package init(_ store: DAGStore) { engine = store.engine }

    /// Writes the bundle of a shard, and checks every value first.
    ///
    /// The index stays until the call returns, even if the shard is destroyed meanwhile.
    ///
    /// *Cost*: decodes every page, about 100 ns a section. *Memory*: the root page, one value, and one piece.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - write: Receives the pieces in order, each of at most `pieceSizeMax` bytes.
    /// - Returns: The name and the numbers of the bundle.
    /// - Throws: `shardUnknown`; `invalidArgument` if the shard has no complete index; `limitExceeded` if the index is
    ///   too large for a bundle; `catalogCorrupt`, `closed`, and the errors of `write`.
    package func export(
        _ key: ShardKey,
        to write: ([UInt8]) throws -> Void
    ) throws -> ExportedBundle {
        try engine.access.using {
            let reader = try openIndex(of: key)
            return try stream(reader, to: write)
        }
    }

    private func stream(
        _ reader: IndexReader,
        to write: ([UInt8]) throws -> Void
    ) throws -> ExportedBundle {
        // The reader keeps the index.
        defer { withExtendedLifetime(reader) {} }
        let (record, root) = (reader.record, reader.root)
        let (catalog, generation) = (engine.catalog, record.generation)
        let rootBytes = try translating { try catalog.rootBytes(generation) }
        let header = try translating { try makeHeader(record, root, rootSize: rootBytes.count) }
        var check = try translating { try BundleCheck(root) }
        var pieces = PieceWriter()
        try pieces.append(header.encoded(), to: write)
        try pieces.append(rootBytes, to: write)
        for number in header.pageValueSizes.indices {
            let value = try translating {
                try catalog.withPages(generation, UInt32(number)) { $0.copied }
            }
            try value.withView { view in try translating { try check.checkPages(view) } }
            try pieces.append(value, to: write)
        }
        for number in header.segmentSizes.indices {
            let value = try translating {
                try catalog.withSegment(generation, UInt32(number)) { $0.copied }
            }
            try value.withView { view in try translating { try check.checkSegment(view) } }
            try pieces.append(value, to: write)
        }
        try translating { try check.finish() }
        let name = try pieces.finish(to: write)
        return ExportedBundle(
            name: name,
            size: pieces.size,
            sectionCount: root.sectionCount,
            multihashCount: root.multihashCount,
            payloadSize: root.payloadSize,
            sourceSize: record.fileSize,
            rootCount: root.roots.count
        )
    }

    private func makeHeader(
        _ record: ShardRecord,
        _ root: IndexRoot,
        rootSize: Int
    ) throws -> IndexBundle {
        var header = try IndexBundle(
            of: root,
            rootSize: rootSize,
            keyID: HashKey(of: engine.catalog.hash).id,
            sourceSize: record.fileSize
        )
        header.contentChecksum = record.contentChecksum
        header.sectionSizeMax = record.sectionSizeMax
        header.headerSizeMax = record.headerSizeMax
        header.origin = record.origin.map {
            IndexBundle.Origin(codec: $0.codec, hasIdentity: $0.hasIdentity)
        }
        return header
    }

    /// Returns a reader of a shard's index, which keeps the index.
    private func openIndex(of key: ShardKey) throws -> IndexReader {
        try translating(for: key) {
            while true {
                guard let record = try engine.catalog.record(of: key.text) else {
                    throw DAGStoreError(.shardUnknown, "no shard has this key")
                }
                guard record.generation != 0, !record.isIncomplete else {
                    throw DAGStoreError(
                        .invalidArgument,
                        "the shard has no complete index; initialize it first"
                    )
                }
                // Without a reader, the shard has another index by now.
                let reader = try engine.indexes.withLastingIndex(of: record) { $0 }
                if let reader { return reader }
            }
        }
    }

    /// Calls `body` with the hashes of a shard for an inverse index, in ascending order, without repetition.
    ///
    /// *Cost*: decodes every page and sorts. *Memory*: `Configuration.sortBudget`; more goes to a file.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - body: Receives the first 48 bits of the keyed hash of each digest.
    /// - Returns: The number of hashes.
    /// - Throws: `shardUnknown`; `invalidArgument` if the shard has no complete index; `catalogCorrupt`, `catalogFull`,
    ///   `readOnly`, `closed`, and the errors of `body`.
    package func writeHashes(
        of key: ShardKey,
        _ body: (UInt64) throws -> Void
    ) throws -> UInt64 {
        try engine.access.using {
            let reader = try openIndex(of: key)
            // Only the spill file is used.
            let sink = engine.makeGenerationWriter()
            var hashes = InverseBuilder(budget: engine.configuration.sortBudget)
            try translating(for: key) {
                for number in reader.root.pages.indices {
                    // Past the cache, which keeps the pages that reads need.
                    let page = try IndexReader.decodedPage(
                        number,
                        of: reader.root,
                        reader.record.generation,
                        in: engine.catalog
                    )
                    for slot in 0..<page.count {
                        let high = page.withDigest(of: slot) { engine.catalog.hash.hash($0).high }
                        try hashes.append(high, spillingTo: sink)
                    }
                }
            }
            var count: UInt64 = 0
            do {
                try hashes.forEachHash(from: sink) { hash in
                    count += 1
                    try body(hash)
                }
            } catch let error as ShardIndexError {
                throw DAGStoreError(error).about(key)
            }
            return count
        }
    }
}

/// Splits the bytes of a bundle into pieces, and hashes them.
private struct PieceWriter {
    private var piece: [UInt8] = []
    private var hash = SHA256Stream()
    /// The number of bytes so far.
    private(set) var size: UInt64 = 0

    mutating func append(_ bytes: [UInt8], to write: ([UInt8]) throws -> Void) throws {
        try bytes.withView { view in
            hash.update(view)
            size += UInt64(view.count)
            var offset = 0
            while offset < view.count {
                let end = min(view.count, offset + BundleExporter.pieceSizeMax - piece.count)
                piece.append(view[offset..<end])
                offset = end
                if piece.count == BundleExporter.pieceSizeMax { try flush(to: write) }
            }
        }
    }

    private mutating func flush(to write: ([UInt8]) throws -> Void) throws {
        let full = piece
        piece = []
        try write(full)
    }

    /// Writes the rest.
    ///
    /// - Returns: The SHA-256 of all bytes.
    mutating func finish(to write: ([UInt8]) throws -> Void) throws -> [UInt8] {
        if !piece.isEmpty { try flush(to: write) }
        return hash.finish()
    }
}
