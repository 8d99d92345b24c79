package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// The sections that a shard's index knows, asked for in order of their offsets.
///
/// *Cost*: each page is decoded once; no byte of the shard is touched. *Concurrency*: one thread.
package struct StoredSections {
    private let engine: StoreEngine
    private let key: ShardKey
    private var page: DecodedPage?
    private var nextPage = 0
    private var slot = 0
    private var isAtEnd = false

    init(of key: ShardKey, in engine: StoreEngine) {
        self.key = key
        self.engine = engine
    }

    /// Whether the section at an offset has a multihash.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function; nil matches any, as an index does that does not know it.
    ///   - digest: The digest.
    ///   - offset: Where the section starts in the payload: after the one that was asked for last.
    /// - Returns: Whether it has.
    /// - Throws: `catalogCorrupt`, `closed`.
    package mutating func hasSection(
        hashCode: UInt64?,
        digest: ByteView,
        at offset: UInt64
    ) throws -> Bool {
        while let page = try current() {
            while slot < page.count {
                let found = page.offset(of: slot)
                guard found <= offset else { return false }
                slot += 1
                guard found == offset else { continue }
                let known = page.kind(of: slot - 1).hashCode
                guard let code = hashCode ?? known else {
                    return page.withDigest(of: slot - 1) { $0.elementsEqual(digest) }
                }
                return page.matches(slot - 1, hashCode: code, digest: digest)
            }
            self.page = nil
        }
        return false
    }

    /// The page with the next section; nil if there is none.
    private mutating func current() throws -> DecodedPage? {
        if let page { return page }
        guard !isAtEnd else { return nil }
        slot = 0
        page = try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return nil }
            return try engine.indexes.withLastingIndex(of: record.number) { reader in
                guard nextPage < reader.root.pages.count else { return nil }
                return try translating { try reader.page(nextPage) }
            } ?? nil
        }
        isAtEnd = page == nil
        nextPage += 1
        return page
    }
}

extension ShardExporter {
    /// The sections of a shard, to be compared with what another store has; none if there is no such shard.
    package func sections(of key: ShardKey) -> StoredSections {
        StoredSections(of: key, in: engine)
    }

    /// Takes what was read of the catalog out of this process's memory; see `Environment.giveBackMemory()`.
    ///
    /// - Throws: `closed`.
    package func giveBackMemory() throws {
        try engine.access.using { try translating { try engine.catalog.giveBackMemory() } }
    }
}
