package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// The sections of a shard's index, for questions in order of offset.
///
/// *Cost*: decodes each page once; reads no bytes of the shard. *Concurrency*: one thread.
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

    /// Returns whether the section at an offset has a multihash.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function; nil matches any, and so does an index without hash functions.
    ///   - digest: The digest.
    ///   - offset: The offset of the section in the payload, larger than in the last call.
    /// - Returns: Whether there is such a section.
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

    /// Returns the page with the next section; nil at the end.
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
    /// Returns the sections of a shard, for a comparison with another store; empty if no shard has the key.
    package func sections(of key: ShardKey) -> StoredSections {
        StoredSections(of: key, in: engine)
    }

    /// Removes the read pages of the catalog from this process's memory; see `Environment.giveBackMemory()`.
    ///
    /// - Throws: `closed`.
    package func giveBackMemory() throws {
        try engine.access.using { try translating { try engine.catalog.giveBackMemory() } }
    }
}
