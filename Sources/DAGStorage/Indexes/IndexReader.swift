internal import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGHashing
internal import DAGMultiformats
package import ShardIndex
internal import SharedReads

/// A reader of one shard's index alone; a `ShardReader` also reads the shard's bytes.
///
/// It holds the root page and pointers to the locator's segments, and reads pages through the store's cache.
///
/// *Concurrency*: any thread.
package final class IndexReader: Sendable {
    let key: ShardKey
    let record: ShardRecord
    package let root: IndexRoot
    let catalog: Catalog
    let hash: KeyedHash
    let segments: [LocatorSegment]
    /// The number of segments, pinned or not; a shard of one page has none.
    let segmentCount: UInt64
    private let cache: PageCache
    private let segmentOwners: [PinnedValue]
    private let checkedSegments: OnceFlags
    /// The pin that keeps the index alive; nil in a read-only store.
    private let pin: GenerationPin?
    /// The pages as they are stored; empty in a read-only store.
    private let pinnedPages: PinnedPages
    /// The same pages, for searches that count no references.
    private let borrowedPages: Borrowed<PinnedPages>
    private let isPinned: Bool
    /// The approximate memory of the reader, in bytes.
    let memorySize: Int

    /// Opens the index that a record names.
    ///
    /// *Cost*: reads the root page and pins the locator's segments.
    ///
    /// - Throws: `catalogCorrupt`; `shardUnknown` if another process has destroyed the shard.
    init(
        _ record: ShardRecord,
        catalog: Catalog,
        cache: PageCache,
        pin: GenerationPin?
    ) throws {
        key = ShardKey(stored: record.key)
        self.record = record
        self.pin = pin
        self.catalog = catalog
        self.cache = cache
        hash = catalog.hash
        let root = try Self.reading(record, in: catalog) { try catalog.root(record.generation) }
        self.root = root
        var owners: [PinnedValue] = []
        // A read-only store takes no lock and pins nothing, so its readers look up by page.
        if !catalog.isReadOnly {
            for number in root.segmentSizes.indices {
                owners.append(try catalog.segment(record.generation, UInt32(number)))
            }
        }
        segmentOwners = owners
        segmentCount = UInt64(root.segmentSizes.count)
        checkedSegments = OnceFlags(count: root.segmentSizes.count)
        segments = try owners.map { try LocatorSegment(reading: $0.bytes) }
        isPinned = pin != nil
        pinnedPages = PinnedPages(record.generation, root, in: catalog)
        borrowedPages = Borrowed(pinnedPages)
        // Small objects and arrays with their content; segments too small to be pinned are copies.
        let copied = owners.reduce(0) { $0 + ($1.isCopied ? $1.bytes.count : 0) }
        memorySize =
            1024 + record.key.utf8.count + record.mountURL.utf8.count + 64 * root.roots.count
            + 40 * root.pages.count + 128 * root.valueCount + 160 * owners.count + copied
            + (root.indexSize < UInt64(catalog.pageSize) ? Int(root.indexSize) : 0)
    }

    /// Returns the first section with the multihash of a CID; nil if there is none.
    ///
    /// *Cost*: a search in the locator and one in a page, from the cache or decoded.
    ///
    /// - Throws: `catalogCorrupt`.
    func section(of cid: CID) throws -> Section? {
        try cid.withDigest { try section(hashCode: cid.hashCode, digest: $0) }
    }

    /// Returns whether there is a section with the multihash of a CID; sizes may be unknown.
    ///
    /// *Cost*: as `section(of:)`.
    ///
    /// - Throws: `catalogCorrupt`.
    func contains(_ cid: CID) throws -> Bool {
        try cid.withDigest { try contains(hashCode: cid.hashCode, digest: $0) }
    }

    /// Returns whether there is a section with a multihash; as `contains(_:)`.
    func contains(hashCode: UInt64, digest: ByteView) throws -> Bool {
        try find(
            hashCode: hashCode,
            digest: digest,
            inView: { _, _ in true },
            inPage: { _, _ in true }
        ) ?? false
    }

    /// Calls `body` with the inverse index's hash of every section, in CAR order.
    ///
    /// - Throws: `catalogCorrupt`, and the errors of `body`.
    func forEachHash(_ body: (UInt64) throws -> Void) throws {
        for number in root.pages.indices {
            let page = try page(number)
            for slot in 0..<page.count {
                try body(InverseEntry.hash(of: page.withDigest(of: slot) { hash.hash($0).high }))
            }
        }
    }

    /// Returns the place of a section.
    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }

    /// Returns the first section with a multihash; index pages confirm the candidates of the locator.
    func section(hashCode: UInt64, digest: ByteView) throws -> Section? {
        try find(
            hashCode: hashCode,
            digest: digest,
            inView: { page, slot in
                try section(
                    page.kind(of: slot),
                    page.sectionSize(of: slot),
                    page.offset(of: slot),
                    hashCode
                )
            },
            inPage: { page, slot in try section(page, slot, hashCode: hashCode) }
        )
    }

    /// Calls one of two functions with the first section that has a multihash.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function.
    ///   - digest: The digest.
    ///   - inView: Receives a page as it is stored, and a place in it.
    ///   - inPage: Receives a decoded page, and a place in it.
    /// - Returns: The result of the function; nil if no section has the multihash.
    /// - Throws: `catalogCorrupt`, and the errors of the function.
    @inline(__always)
    private func find<R>(
        hashCode: UInt64,
        digest: ByteView,
        inView: (PageView, Int) throws -> R,
        inPage: (DecodedPage, Int) throws -> R
    ) throws -> R? {
        guard segmentCount > 0 else {
            guard !root.pages.isEmpty else { return nil }
            if let view = try view(0) {
                let slot = view.firstSlot(hashCode: hashCode, digest: digest)
                return try slot.map { try inView(view, $0) }
            }
            return try withPage(0) { page in
                let slot = page.firstSlot(hashCode: hashCode, digest: digest)
                return try slot.map { try inPage(page, $0) }
            }
        }
        let hashed = hash.hash(digest).high
        let (number, position) = hashed.multipliedFullWidth(by: segmentCount)
        guard Int(number) < segments.count else {
            for offset in try candidates(Int(number), position) {
                let found = try find(at: offset, hashCode, digest, inView, inPage)
                if let found { return found }
            }
            return nil
        }
        let segment = segments[Int(number)]
        try checkOnce(segment, Int(number))
        var search = segment.search(position: position)
        while let offset = segment.next(&search) {
            let found = try find(at: offset, hashCode, digest, inView, inPage)
            if let found { return found }
        }
        return nil
    }

    /// Calls one of two functions with the section at an offset, if it has the multihash.
    @inline(__always)
    private func find<R>(
        at offset: UInt64,
        _ hashCode: UInt64,
        _ digest: ByteView,
        _ inView: (PageView, Int) throws -> R,
        _ inPage: (DecodedPage, Int) throws -> R
    ) throws -> R? {
        guard let number = root.page(ofOffset: offset) else { return nil }
        if let view = try view(number) {
            guard let slot = view.slot(at: offset),
                view.matches(slot, hashCode: hashCode, digest: digest)
            else { return nil }
            return try inView(view, slot)
        }
        return try withPage(number) { page in
            guard let slot = page.slot(at: offset),
                page.matches(slot, hashCode: hashCode, digest: digest)
            else { return nil }
            return try inPage(page, slot)
        }
    }

    /// Returns a page as it is stored; nil if the page must be decoded.
    @inline(__always)
    private func view(_ number: Int) throws -> PageView? {
        guard isPinned else { return nil }
        let place = root.pages[number]
        return try borrowedPages.with { try $0.view(number, at: place) }
    }

    /// Returns the offsets of sections that may have a digest, from the locator.
    private func candidates(_ number: Int, _ position: UInt64) throws -> [UInt64] {
        try Self.reading(record, in: catalog) {
            try catalog.withSegment(record.generation, UInt32(number)) { bytes in
                Result { () throws(ShardIndexError) in
                    let segment = try LocatorSegment(reading: bytes)
                    try checkOnce(segment, number)
                    return segment.candidates(position: position)
                }
            }.get()
        }
    }

    /// Checks a segment at its first search, so that damage causes an error instead of a miss.
    ///
    /// *Cost*: a load and a test; the first time the checksum of up to 1 MiB, about 60 us.
    @inline(__always)
    func checkOnce(_ segment: LocatorSegment, _ number: Int) throws(ShardIndexError) {
        guard !checkedSegments.isSet(number) else { return }
        try segment.check()
        checkedSegments.set(number)
    }

    /// Reads a part of the shard's generation from the catalog.
    ///
    /// A read-only store pins nothing, so the process that writes may destroy the shard meanwhile.
    ///
    /// - Throws: `shardUnknown` if the shard was destroyed; the errors of `body`.
    private static func reading<R>(
        _ record: ShardRecord,
        in catalog: Catalog,
        _ body: () throws -> R
    ) throws -> R {
        do {
            return try body()
        } catch {
            // A read may fail while the shard exists, so its record decides.
            guard catalog.isReadOnly,
                try catalog.record(record.number)?.generation != record.generation
            else { throw error }
            throw DAGStoreError(.shardUnknown, "the shard was destroyed")
        }
    }

    /// Returns the section of a slot.
    func section(_ page: DecodedPage, _ slot: Int, hashCode: UInt64) throws -> Section {
        try section(
            page.kind(of: slot),
            page.sectionSize(of: slot),
            page.offset(of: slot),
            hashCode
        )
    }

    private func section(
        _ entry: EntryKind,
        _ size: UInt64?,
        _ offset: UInt64,
        _ hashCode: UInt64
    ) throws -> Section {
        guard let size, let cidSize = entry.cidSize,
            let dataSize = IndexEntry.dataSize(ofSection: size, cidSize: UInt64(cidSize))
        else {
            guard record.isIncomplete else {
                throw DAGStoreError(.catalogCorrupt, "an index page without sizes", shard: key)
            }
            throw DAGStoreError(
                .mountUnreachable,
                "its index came with it, and its CAR was not read yet",
                shard: key
            )
        }
        let length = UInt64(cidSize) + dataSize
        let layout = CIDLayout(
            version: entry.version,
            codec: entry.codec ?? 0,
            hashCode: hashCode,
            digestSize: entry.digestSize,
            multihashOffset: entry.version == 0 ? 0 : 1 + Varint.size(of: entry.codec ?? 0),
            digestOffset: cidSize - entry.digestSize
        )
        return Section(
            offset: offset,
            prefixSize: Int(size - length),
            length: length,
            cid: layout
        )
    }

    // MARK: Pages

    /// Returns a decoded page, from the cache if the cache has it.
    package func page(_ number: Int) throws -> DecodedPage { try withPage(number) { $0 } }

    /// Calls `body` with a decoded page, from the cache if the cache has it.
    @inline(__always)
    private func withPage<R>(_ number: Int, _ body: (DecodedPage) throws -> R) throws -> R {
        try cache.withPage(
            number,
            of: record.generation,
            decode: { try decodedPage(number) },
            body
        )
    }

    private func decodedPage(_ number: Int) throws -> DecodedPage {
        try Self.reading(record, in: catalog) {
            try Self.decodedPage(number, of: root, record.generation, in: catalog)
        }
    }

    /// Decodes a page of a generation.
    ///
    /// - Throws: `catalogCorrupt` if the value is damaged or has another page.
    static func decodedPage(
        _ number: Int,
        of root: IndexRoot,
        _ generation: UInt64,
        in catalog: Catalog
    ) throws -> DecodedPage {
        let place = root.pages[number]
        let page = try catalog.withPages(generation, place.value) { value in
            let end = Int(place.start) + Int(place.size)
            return Result { () throws(ShardIndexError) in
                guard end <= value.count else {
                    throw ShardIndexError(
                        .malformed,
                        "index page \(number) lies outside its catalog value"
                    )
                }
                return try DecodedPage(reading: value[Int(place.start)..<end])
            }
        }.get()
        guard page.firstOrdinal == place.firstOrdinal, page.count == Int(place.count) else {
            throw ShardIndexError(.malformed, "index page \(number) is another page")
        }
        return page
    }
}
