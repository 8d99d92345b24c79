internal import Bytes
internal import CAR
internal import Catalog
internal import Hashing
internal import Mounts
package import Multiformats
package import ShardIndex
internal import Synchronization

/// An open shard, shared by its leases.
///
/// It holds the root page, pointers to the locator's segments, and the mapped file.
///
/// *Concurrency*: immutable but for the hint; any thread.
package final class ShardCore: Sendable {
    /// Where blocks are read from.
    enum Payload: Sendable {
        case mapped(MappedFile, payload: ByteView)
        case file(LocalFile)
    }

    let key: ShardKey
    let record: ShardRecord
    package let root: IndexRoot
    let catalog: Catalog
    let cache: PageCache
    let payload: Payload
    private let hash: KeyedHash
    let segments: [LocatorSegment]
    private let segmentOwners: [PinnedValue]
    private let checkedSegments: OnceFlags
    /// Where a walk in CAR order goes on: the end of the last section found.
    ///
    /// Bit 63 is set when the last search found what stood there, so that only walks pay for looking.
    private let hint = Atomic<UInt64>(0)
    private static let walking: UInt64 = 1 << 63

    /// Opens the shard of `record`.
    ///
    /// *Cost*: reads the root page, pins the locator's segments and maps the file; no block is touched.
    ///
    /// - Throws: `mountGone`, `mountUnreachable`; `sourceChanged` if the file is not what was
    ///   indexed; `catalogCorrupt`.
    init(
        _ record: ShardRecord,
        catalog: Catalog,
        cache: PageCache,
        configuration: Configuration
    ) throws {
        key = ShardKey(stored: record.key)
        self.record = record
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
        let file = try LocalFile(opening: FileMount(url: record.mountURL).path)
        guard file.identity.matches(record) else {
            throw DAGStoreError(.sourceChanged, "\(file.path) is not what was indexed")
        }
        // Some file systems do not map; what is read then is copied.
        guard configuration.mapping == .whenPossible,
            let mapped = try? MappedFile(file, access: .random)
        else {
            payload = .file(file)
            return
        }
        let end = root.dataOffset + root.payloadSize
        guard end <= UInt64(mapped.bytes.count) else {
            throw DAGStoreError(.sourceChanged, "\(file.path) is shorter than what was indexed")
        }
        payload = .mapped(mapped, payload: mapped.bytes[Int(root.dataOffset)..<Int(end)])
    }

    /// Whether the file still is what was indexed.
    func checkSource() throws {
        let path = try FileMount(url: record.mountURL).path
        guard try FileIdentity(at: path).matches(record) else {
            throw DAGStoreError(.sourceChanged, "\(path) is not what was indexed", shard: key)
        }
    }

    // MARK: Search

    /// The first section with the multihash of `cid`.
    ///
    /// *Cost*: in a mapped shard one bucket of the locator and the section's header; no allocation. In CAR
    /// order the header alone.
    func section(of cid: CID) throws -> Section? {
        try cid.bytes.withView { try section(of: $0, layout: cid.layout) }
    }

    private func section(of cid: ByteView, layout: CIDLayout) throws -> Section? {
        let digest = cid[layout.digestOffset..<cid.count]
        guard case .mapped(_, let payload) = payload, !segments.isEmpty else {
            return try sectionByPage(hashCode: layout.hashCode, digest: digest)
        }
        let last = hint.load(ordering: .relaxed)
        if last & Self.walking != 0 {
            let offset = last & ~Self.walking
            if let found = Self.confirm(payload, offset, cid, layout) {
                hint.store(found.end | Self.walking, ordering: .relaxed)
                return found
            }
            hint.store(offset, ordering: .relaxed)
        }
        let hashed = hash.hash(digest).high
        let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
        let segment = segments[Int(number)]
        try checkOnce(segment, Int(number))
        var search = segment.search(position: position)
        while let offset = segment.next(&search) {
            guard let found = Self.confirm(payload, offset, cid, layout) else { continue }
            // Where a multihash repeats, a walk would find another section than the first.
            if root.isFreeOfDuplicates {
                let mark = offset == last & ~Self.walking ? Self.walking : 0
                hint.store(found.end | mark, ordering: .relaxed)
            }
            return found
        }
        return nil
    }

    /// The first offset that the locator names for a CID, unconfirmed: what the search costs by itself.
    package func firstCandidate(of cid: CID) -> UInt64? {
        cid.withDigest { digest in
            let hashed = hash.hash(digest).high
            let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
            let segment = segments[Int(number)]
            var search = segment.search(position: position)
            return segment.next(&search)
        }
    }

    /// The section at `offset`, if it has this multihash.
    private static func confirm(
        _ payload: ByteView,
        _ offset: UInt64,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) -> Section? {
        guard offset < UInt64(payload.count) else { return nil }
        let prefix = Varint.decode(payload, at: Int(offset))
        let start = Int(offset) + prefix.size
        guard prefix.size > 0, prefix.value <= UInt64(payload.count - start) else { return nil }
        // The very CID that is asked for, as nearly always: nothing has to be taken apart.
        if prefix.value >= UInt64(cid.count),
            payload[start..<start + cid.count].elementsEqual(cid)
        {
            return Section(
                offset: offset,
                prefixSize: prefix.size,
                length: prefix.value,
                cid: layout
            )
        }
        return confirmMultihash(
            payload,
            offset,
            layout.hashCode,
            cid[layout.digestOffset..<cid.count]
        )
    }

    /// The section at `offset`, if it has this multihash under whatever CID.
    private static func confirmMultihash(
        _ payload: ByteView,
        _ offset: UInt64,
        _ hashCode: UInt64,
        _ digest: ByteView
    ) -> Section? {
        guard let found = Section.reading(payload, at: offset),
            found.cid.hashCode == hashCode, found.cid.digestSize == digest.count
        else { return nil }
        let start = Int(found.cidOffset) + found.cid.digestOffset
        guard payload[start..<start + digest.count].elementsEqual(digest) else { return nil }
        return found
    }

    /// The search for shards whose bytes are not mapped, or that are too small for a locator: candidates are
    /// confirmed by the index page.
    private func sectionByPage(hashCode: UInt64, digest: ByteView) throws -> Section? {
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
    private func checkOnce(_ segment: LocatorSegment, _ number: Int) throws(ShardIndexError) {
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
    private func section(_ page: DecodedPage, _ slot: Int, hashCode: UInt64) throws -> Section {
        let entry = page.kind(of: slot)
        guard let size = page.sectionSize(of: slot), let cidSize = entry.cidSize,
            let dataSize = IndexEntry.dataSize(ofSection: size, cidSize: UInt64(cidSize))
        else { throw DAGStoreError(.catalogCorrupt, "an index page without sizes", shard: key) }
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

    // MARK: Bytes

    /// The block at `section`.
    func block(_ cid: CID, _ section: Section) throws -> Block {
        switch payload {
        case .mapped(let mapped, let payload):
            let start = Int(section.dataOffset)
            return Block(
                cid: cid,
                view: payload[start..<start + Int(section.dataSize)],
                owner: mapped
            )
        case .file(let file):
            let bytes = try file.read(
                at: root.dataOffset + section.dataOffset,
                size: Int(section.dataSize)
            )
            return Block(cid: cid, view: bytes.view, owner: bytes)
        }
    }

    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }
}

extension FileIdentity {
    /// Whether this is the file that was indexed.
    fileprivate func matches(_ record: ShardRecord) -> Bool {
        size == record.fileSize && modified == record.fileModified && inode == record.fileInode
            && device == record.fileDevice
    }
}
