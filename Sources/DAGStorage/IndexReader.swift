internal import Bytes
internal import CAR
internal import Catalog
internal import Hashing
internal import Multiformats
package import ShardIndex
internal import Synchronization

/// The index of one shard, as it is read: the root page, pointers to the locator's segments, and the pages
/// through the store's cache.
///
/// It touches no byte of the shard itself.
///
/// *Concurrency*: any thread.
package final class IndexReader: Sendable {
    let key: ShardKey
    let record: ShardRecord
    package let root: IndexRoot
    let catalog: Catalog
    let hash: KeyedHash
    let segments: [LocatorSegment]
    private let cache: PageCache
    private let segmentOwners: [PinnedValue]
    private let checkedSegments: OnceFlags
    /// What keeps the index from being deleted, until nobody reads it any more.
    private let pin: Mutex<GenerationPin?>

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
        self.pin = Mutex(pin)
        self.catalog = catalog
        self.cache = cache
        hash = catalog.hash
        let root = try Self.reading(record, in: catalog) { try catalog.root(record.generation) }
        self.root = root
        var owners: [PinnedValue] = []
        // A reader that takes no lock cannot pin anything: it looks up by page.
        if !catalog.isReadOnly {
            for number in root.segmentSizes.indices {
                owners.append(try catalog.segment(record.generation, UInt32(number)))
            }
        }
        segmentOwners = owners
        checkedSegments = OnceFlags(count: root.segmentSizes.count)
        segments = try owners.map { try LocatorSegment(reading: $0.bytes) }
    }

    /// Lets the index be deleted: nobody will read it any more.
    func letGo() { pin.withLock { $0 = nil } }

    /// Calls `body` while the index cannot be deleted; nil if it was let go.
    func holding<R>(_ body: (IndexReader) throws -> R) rethrows -> R? {
        guard let pin = pin.withLock({ $0 }) else { return nil }
        return try withExtendedLifetime(pin) { try body(self) }
    }

    /// The first section with the multihash of a CID, as the index knows it.
    ///
    /// *Cost*: a search in the locator and one in a page, from the cache or decoded.
    ///
    /// - Throws: `catalogCorrupt`.
    func section(of cid: CID) throws -> Section? {
        try cid.withDigest { try section(hashCode: cid.hashCode, digest: $0) }
    }

    /// Whether there is a section with the multihash of a CID.
    ///
    /// *Cost*: as `section(of:)`; it works also where sizes are unknown.
    ///
    /// - Throws: `catalogCorrupt`.
    func contains(_ cid: CID) throws -> Bool {
        try cid.withDigest { try contains(hashCode: cid.hashCode, digest: $0) }
    }

    /// Whether there is a section with a multihash; as `contains(_:)`.
    func contains(hashCode: UInt64, digest: ByteView) throws -> Bool {
        try slotByPage(hashCode: hashCode, digest: digest) != nil
    }

    /// Calls `body` with the inverse index's hash of every section, in CAR order.
    ///
    /// - Throws: `catalogCorrupt`, and what `body` throws.
    func forEachHash(_ body: (UInt64) throws -> Void) throws {
        for number in root.pages.indices {
            let page = try page(number)
            for slot in 0..<page.count {
                try body(InverseEntry.hash(of: page.withDigest(of: slot) { hash.hash($0).high }))
            }
        }
    }

    /// Where a section lies.
    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }

    /// The first section with a multihash; candidates of the locator are confirmed by the index page.
    func section(hashCode: UInt64, digest: ByteView) throws -> Section? {
        guard let (page, slot) = try slotByPage(hashCode: hashCode, digest: digest) else {
            return nil
        }
        return try section(page, slot, hashCode: hashCode)
    }

    private func slotByPage(
        hashCode: UInt64,
        digest: ByteView
    ) throws -> (page: DecodedPage, slot: Int)? {
        guard !root.segmentSizes.isEmpty else {
            guard !root.pages.isEmpty else { return nil }
            let page = try page(0)
            return page.firstSlot(hashCode: hashCode, digest: digest).map { (page, $0) }
        }
        for offset in try candidates(digest) {
            guard let number = root.page(ofOffset: offset) else { continue }
            let page = try page(number)
            guard let slot = page.slot(at: offset),
                page.matches(slot, hashCode: hashCode, digest: digest)
            else { continue }
            return (page, slot)
        }
        return nil
    }

    /// The offsets where the locator says that a digest may be.
    private func candidates(_ digest: ByteView) throws -> [UInt64] {
        let hashed = hash.hash(digest).high
        let count = UInt64(root.segmentSizes.count)
        let (number, position) = hashed.multipliedFullWidth(by: count)
        if Int(number) < segments.count {
            let segment = segments[Int(number)]
            try checkOnce(segment, Int(number))
            return segment.candidates(position: position)
        }
        return try Self.reading(record, in: catalog) {
            try catalog.withSegment(record.generation, UInt32(number)) { bytes in
                Result { () throws(ShardIndexError) in
                    let segment = try LocatorSegment(reading: bytes)
                    try checkOnce(segment, Int(number))
                    return segment.candidates(position: position)
                }
            }.get()
        }
    }

    /// Checks a segment when it is searched for the first time: damage must not answer "not here".
    ///
    /// *Cost*: a load and a test; the first time the checksum of up to 1 MiB, about 60 us.
    @inline(__always)
    func checkOnce(_ segment: LocatorSegment, _ number: Int) throws(ShardIndexError) {
        guard !checkedSegments.isSet(number) else { return }
        try segment.check()
        checkedSegments.set(number)
    }

    /// Reads something of the shard's generation from the catalogue.
    ///
    /// A read-only store pins nothing, so that the process that writes may destroy the shard meanwhile.
    ///
    /// - Throws: `shardUnknown` then.
    private static func reading<R>(
        _ record: ShardRecord,
        in catalog: Catalog,
        _ body: () throws -> R
    ) throws -> R {
        do {
            return try body()
        } catch {
            let isGone =
                catalog.isReadOnly
                && (try? catalog.record(record.number)?.generation) != record.generation
            guard isGone else { throw error }
            throw DAGStoreError(.shardUnknown, "the shard was destroyed")
        }
    }

    /// What the index knows of a section, as a section.
    func section(_ page: DecodedPage, _ slot: Int, hashCode: UInt64) throws -> Section {
        let entry = page.kind(of: slot)
        guard let size = page.sectionSize(of: slot), let cidSize = entry.cidSize,
            let dataSize = IndexEntry.dataSize(ofSection: size, cidSize: UInt64(cidSize))
        else {
            guard record.isIncomplete else {
                throw DAGStoreError(.catalogCorrupt, "an index page without sizes", shard: key)
            }
            throw DAGStoreError(
                .mountUnreachable,
                "brought over with its index, and the CAR was not read yet: acquire it first",
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
            offset: page.offset(of: slot),
            prefixSize: Int(size - length),
            length: length,
            cid: layout
        )
    }

    // MARK: Pages

    /// A decoded page, from the cache if it is there.
    func page(_ number: Int) throws -> DecodedPage {
        try cache.page(PageCache.Key(generation: record.generation, page: number)) {
            let place = root.pages[number]
            let page = try Self.reading(record, in: catalog) {
                try catalog.withPages(record.generation, place.value) { value in
                    let end = Int(place.start) + Int(place.size)
                    return Result { () throws(ShardIndexError) in
                        guard end <= value.count else {
                            throw ShardIndexError(.malformed, "page \(number) outside its value")
                        }
                        return try DecodedPage(reading: value[Int(place.start)..<end])
                    }
                }.get()
            }
            guard page.firstOrdinal == place.firstOrdinal, page.count == Int(place.count) else {
                throw ShardIndexError(.malformed, "page \(number) is another page")
            }
            return page
        }
    }
}
