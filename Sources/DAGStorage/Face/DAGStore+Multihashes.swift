internal import DAGCatalog
public import DAGMultiformats
internal import ShardIndex

/// The place where a walk over a shard's multihashes goes on; a program may store its text.
public struct MultihashCursor: Hashable, Sendable, LosslessStringConvertible {
    let generation: UInt64
    let ordinal: UInt64

    /// Returns the place `count` sections further on; at most the end.
    package func advanced(by count: Int) -> MultihashCursor {
        MultihashCursor(generation: generation, ordinal: ordinal + UInt64(count))
    }

    init(generation: UInt64, ordinal: UInt64) {
        self.generation = generation
        self.ordinal = ordinal
    }

    /// Creates a cursor from its text; nil if the text is malformed.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let generation = UInt64(parts[0]), let ordinal = UInt64(parts[1])
        else { return nil }
        self.init(generation: generation, ordinal: ordinal)
    }

    /// The text: the generation of the index, and the number of sections before the cursor.
    public var description: String { "\(generation).\(ordinal)" }
}

/// Some multihashes of a shard.
public struct MultihashChunk: Sendable {
    /// The multihashes in CAR order, repeated ones included.
    public let multihashes: [Multihash]
    /// The offsets of their sections in the payload, in bytes.
    public let offsets: [UInt64]
    /// The place where this chunk begins.
    package let start: MultihashCursor
    /// The place where the next chunk begins; nil for the last chunk.
    public let next: MultihashCursor?
}

extension DAGStore {
    /// Returns multihashes of a shard in CAR order, a chunk at a time, for an announcer.
    ///
    /// The order of one CAR is the same on every machine. The call reads no bytes of the shard, and holds no lease.
    ///
    /// *Cost*: the index pages of the chunk, from the cache or decoded.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - count: The largest number of multihashes; at least one.
    ///   - cursor: The `next` of the previous chunk; nil for the first one.
    /// - Returns: The multihashes, fewer than `count` only at the end.
    /// - Throws: `shardUnknown`; `shardFailed` if the shard has no index; `sourceChanged` if the shard was indexed
    ///   again since the cursor was made; `invalidArgument` if the count or the cursor is out of range;
    ///   `catalogCorrupt`, `closed`.
    public func multihashes(
        of key: ShardKey,
        atMost count: Int,
        from cursor: MultihashCursor? = nil
    ) throws -> MultihashChunk {
        guard count > 0 else {
            throw DAGStoreError(.invalidArgument, "the count is \(count); the minimum is 1")
        }
        return try engine.access.using {
            try translating(for: key) { try engine.multihashes(key, count, cursor) }
        }
    }
}

extension StoreEngine {
    fileprivate func multihashes(
        _ key: ShardKey,
        _ count: Int,
        _ cursor: MultihashCursor?
    ) throws -> MultihashChunk {
        guard let record = try catalog.record(of: key.text) else {
            throw DAGStoreError(.shardUnknown, "no shard has this key")
        }
        let chunk = try indexes.withLastingIndex(of: record.number) { reader in
            try self.multihashes(reader, count, cursor)
        }
        guard let chunk else { throw DAGStoreError(.shardFailed, "the shard has no index") }
        return chunk
    }

    private func multihashes(
        _ reader: IndexReader,
        _ count: Int,
        _ cursor: MultihashCursor?
    ) throws -> MultihashChunk {
        let generation = reader.record.generation
        guard cursor == nil || cursor?.generation == generation else {
            throw DAGStoreError(
                .sourceChanged,
                "the shard was indexed again after the cursor was made"
            )
        }
        var ordinal = cursor?.ordinal ?? 0
        let start = MultihashCursor(generation: generation, ordinal: ordinal)
        guard ordinal <= reader.root.sectionCount else {
            throw DAGStoreError(.invalidArgument, "the cursor is beyond the end")
        }
        var found: [Multihash] = []
        var offsets: [UInt64] = []
        while found.count < count, let number = reader.root.page(ofOrdinal: ordinal) {
            let page = try reader.page(number)
            let first = Int(ordinal - page.firstOrdinal)
            let last = first + min(page.count - first, count - found.count)
            for slot in first..<last {
                guard let multihash = page.entry(slot).multihash else {
                    throw DAGStoreError(
                        .unsupportedHash,
                        "the index does not know the hash function"
                    )
                }
                found.append(multihash)
                offsets.append(page.offset(of: slot))
            }
            ordinal += UInt64(last - first)
        }
        let isAtEnd = ordinal == reader.root.sectionCount
        let next = MultihashCursor(generation: generation, ordinal: ordinal)
        return MultihashChunk(
            multihashes: found,
            offsets: offsets,
            start: start,
            next: isAtEnd ? nil : next
        )
    }
}
