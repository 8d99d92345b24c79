internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGHashing
internal import DAGMounts
package import DAGMultiformats
package import ShardIndex
internal import SharedReads
internal import SystemPackage

/// An open shard, shared by its leases.
///
/// It holds the root page, pointers to the locator's segments, and the bytes within reach.
///
/// *Concurrency*: any thread. Only `accepted` ever changes. A search writes to memory of its own thread only.
package final class ShardCore: Sendable {
    /// Where blocks are read from.
    enum Payload: Sendable {
        /// In memory: a mapped file, or bytes that a mount has there.
        case memory(MemoryShares)
        /// Read by system calls.
        case file(LocalFile)
        /// Read over the network, by whoever waits for it.
        case remote(RemoteBytes)
    }

    let key: ShardKey
    let record: ShardRecord
    /// Whether the shard reads a copy of the store's own, which a collection of garbage may want.
    let readsTransient: Bool
    package let root: IndexRoot
    /// The index, through its pages.
    let index: IndexReader
    let payload: Payload
    /// The payload, if it is in memory; else empty.
    let memory: ByteView
    /// Shares in the same, one for each stripe of threads; none if it is not in memory.
    private let shares: BorrowedRow<MemoryShare>
    /// Whether the payload is a mapped file.
    private let isMapped: Bool
    /// Whether the locator leads into the payload in memory.
    private let isDirect: Bool
    private let isFreeOfDuplicates: Bool
    /// Where its bytes are read in order, by whoever reads all of them.
    private enum Origin {
        case source(any ByteSource)
        /// A file that is mapped and was closed: a descriptor for each open shard would soon be too many.
        case mapped(FilePath)

        /// What errors call it.
        var name: String {
            switch self {
            case .source(let source): source.name
            case .mapped(let path): path.string
            }
        }
    }

    private let origin: Origin
    private let watchedPath: FilePath?
    private let sourceSize: UInt64
    /// What the file is told by: as when it was opened, or as when it was last found to have the same bytes.
    private let accepted: Lock<FileIdentity>
    let hash: KeyedHash
    let segments: [LocatorSegment]
    private let segmentCount: UInt64
    /// What keeps the copy from being deleted.
    private let pin: TransientPin?
    /// What the CAR is read with.
    let limits: CARLimits
    /// Whether the payload may lose its bytes under us, and a handler waits for that.
    private let isGuarded: Bool
    /// Where a walk in CAR order goes on: the end of the last section found.
    ///
    /// Each thread remembers its own. Bit 63 is set when the last search found what stood there, so that only
    /// walks pay for looking.
    private let hint = ThreadPlace()
    private static let walking: UInt64 = 1 << 63

    /// Opens the shard of `record` over its bytes.
    ///
    /// *Cost*: reads the root page, pins the locator's segments and maps the file; no block is touched.
    ///
    /// - Throws: `mountUnreachable`; `sourceChanged` if the source is shorter than what was indexed;
    ///   `catalogCorrupt`.
    init(
        _ record: ShardRecord,
        source: ShardSource,
        catalog: Catalog,
        cache: PageCache,
        pin: GenerationPin?,
        configuration: Configuration,
        limits: CARLimits
    ) throws {
        key = ShardKey(stored: record.key)
        self.record = record
        readsTransient = source.pin != nil
        self.pin = source.pin
        index = try IndexReader(record, catalog: catalog, cache: cache, pin: pin)
        hash = index.hash
        root = index.root
        segments = index.segments
        segmentCount = UInt64(index.segments.count)
        isFreeOfDuplicates = index.root.isFreeOfDuplicates
        guard root.dataOffset + root.payloadSize <= source.facts.size else {
            throw DAGStoreError(
                .sourceChanged,
                "\(source.reader.name) is shorter than what was indexed"
            )
        }
        let payload = try Self.payload(source, root, configuration)
        self.payload = payload
        if case .memory(let shares) = payload, shares.isMapped, case .file(let file) = source.bytes
        {
            origin = .mapped(file.path)
        } else {
            origin = .source(source.reader)
        }
        watchedPath = source.watchedPath
        sourceSize = source.facts.size
        accepted = Lock(source.facts.file)
        if case .memory(let shares) = payload {
            isMapped = shares.isMapped
            memory = shares.payload
            self.shares = shares.row
            isDirect = !index.segments.isEmpty
        } else {
            isMapped = false
            memory = .empty
            shares = BorrowedRow([])
            isDirect = false
        }
        isGuarded = isMapped && GuardedCopy.isInstalled
        self.limits = limits
    }

    deinit { pin?.release() }

    private static func payload(
        _ source: ShardSource,
        _ root: IndexRoot,
        _ configuration: Configuration
    ) throws -> Payload {
        let range = Int(root.dataOffset)..<Int(root.dataOffset + root.payloadSize)
        switch source.bytes {
        case .memory(let memory):
            return .memory(MemoryShares(memory, payload: memory.view[range], isMapped: false))
        case .remote(let remote): return .remote(remote)
        case .file(let file):
            // Some file systems do not map; what is read then is copied.
            guard configuration.mapping == .whenPossible,
                let mapped = try? MappedFile(file, access: .random)
            else { return .file(file) }
            return .memory(MemoryShares(mapped, payload: mapped.bytes[range], isMapped: true))
        }
    }

    /// Where a section's block lies.
    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }

    /// Whether blocks are read without a system call.
    var isInMemory: Bool { shares.count > 0 }

    /// Whether the bytes are elsewhere.
    var isRemote: Bool {
        if case .remote = payload { true } else { false }
    }

    /// Whether it keeps a descriptor open.
    var holdsDescriptor: Bool {
        guard case .file = payload else { return false }
        return true
    }

    /// The bytes for those who read all of them; a file that is mapped is opened again.
    ///
    /// - Throws: `sourceChanged`, `mountGone`, `mountUnreachable`, `outOfResources`.
    func openReader() throws -> any ByteSource {
        try checkSource()
        switch origin {
        case .source(let source): return source
        case .mapped(let path): return try LocalFile(opening: path)
        }
    }

    /// Whether the file still is what was indexed; for sources that have a file of their own.
    func checkSource() throws {
        guard let path = watchedPath else { return }
        let now = try FileIdentity(at: path)
        guard !now.isUnchanged(since: accepted.withLock({ $0 })) else { return }
        guard now.size == sourceSize else { throw changed(path.string) }
        // It was touched, or another file has its name: what is mapped stays, if that has the same bytes.
        let file = try LocalFile(opening: path)
        try checkSample(of: file)
        accepted.withLock { $0 = file.identity }
    }

    /// How many pages a sample has, and how many sections of each.
    private static let samplePages = 24
    private static let sampleSlots = 4

    /// Whether a source has the header that was indexed, and at some places of the index the sections that it names.
    ///
    /// *Cost*: at most 98 sections' heads are read, whatever the size.
    ///
    /// - Throws: `sourceChanged` if not, and what reading throws.
    func checkSample(of other: any ByteSource) throws {
        let car: CARFile
        do {
            car = try CARFile(other, limits: limits)
        } catch is CARError {
            throw changed(other.name)
        }
        guard car.layout.dataOffset == root.dataOffset, car.layout.dataSize == root.payloadSize,
            car.layout.roots == root.roots
        else { throw changed(other.name) }
        guard !root.pages.isEmpty else { return }
        var numbers: Set<Int> = [0, root.pages.count - 1]
        while numbers.count < min(Self.samplePages, root.pages.count) {
            numbers.insert(.random(in: root.pages.indices))
        }
        for number in numbers {
            let page = try index.page(number)
            var slots: Set<Int> = [0, page.count - 1]
            while slots.count < min(Self.sampleSlots, page.count) {
                slots.insert(.random(in: 0..<page.count))
            }
            for slot in slots { try checkSection(slot, of: page, in: other) }
        }
    }

    private func checkSection(_ slot: Int, of page: DecodedPage, in other: any ByteSource) throws {
        let offset = page.offset(of: slot)
        guard offset < root.payloadSize else { throw changed(other.name) }
        let remaining = root.payloadSize - offset
        let size = Int(min(remaining, UInt64(Self.headSizeMax + page.kind(of: slot).digestSize)))
        let head = try other.read(at: root.dataOffset + offset, size: size)
        let isSame = withExtendedLifetime(head) {
            let found = Section.reading(head.view, at: 0, of: offset, remaining: Int(remaining))
            guard let found else { return false }
            let place = found.prefixSize + found.cid.digestOffset
            guard place + found.cid.digestSize <= head.view.count else { return false }
            let digest = head.view[place..<place + found.cid.digestSize]
            return page.matches(slot, hashCode: found.cid.hashCode, digest: digest)
        }
        guard isSame else { throw changed(other.name) }
    }

    private func changed(_ name: String) -> DAGStoreError {
        DAGStoreError(.sourceChanged, "\(name) is not what was indexed", shard: key)
    }

    /// Whether every section of another source is what the index says.
    ///
    /// *Cost*: a walk over the sections, and every page decoded.
    ///
    /// - Throws: `sourceChanged` if one is not, and what the walk or `checkCancelled` throws.
    func checkSections(
        of source: any ByteSource,
        checkCancelled: () throws -> Void = {}
    ) throws {
        let car = try CARFile(source, limits: limits)
        let other = changed(source.name)
        guard car.layout.dataOffset == root.dataOffset, car.layout.dataSize == root.payloadSize,
            car.layout.roots == root.roots
        else { throw other }
        var number = 0
        var page: DecodedPage?
        var slot = 0
        var walk = car.walk()
        try walk.forEach { section, digest in
            if page.map({ slot == $0.count }) ?? true {
                guard number < root.pages.count else { throw other }
                try checkCancelled()
                page = try index.page(number)
                number += 1
                slot = 0
            }
            let isSame =
                page.map { page in
                    page.offset(of: slot) == section.offset
                        && page.matches(slot, hashCode: section.cid.hashCode, digest: digest)
                } ?? false
            guard isSame else { throw other }
            slot += 1
        }
        guard number == root.pages.count, page.map({ slot == $0.count }) ?? true else {
            throw other
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

    /// The same of a binary CID.
    func section(of cid: ByteView, layout: CIDLayout) throws -> Section? {
        let digest = cid[layout.digestOffset..<cid.count]
        guard isDirect else {
            return try index.section(hashCode: layout.hashCode, digest: digest)
        }
        let payload = memory
        let last = hint.value
        if last & Self.walking != 0 {
            let offset = last & ~Self.walking
            if let found = try confirm(payload, offset, cid, layout) {
                hint.value = found.end | Self.walking
                if (offset ^ found.end) >> Self.windowBits != 0 { readAhead(from: found.end) }
                return found
            }
            hint.value = offset
        }
        let hashed = hash.hash(digest).high
        let (number, position) = hashed.multipliedFullWidth(by: segmentCount)
        let segment = segments[Int(number)]
        try index.checkOnce(segment, Int(number))
        var search = segment.search(position: position)
        var isDoubtful = false
        while let offset = segment.next(&search) {
            guard let found = try confirm(payload, offset, cid, layout) else {
                isDoubtful = true
                continue
            }
            // Where a multihash repeats, a walk would find another section than the first.
            if isFreeOfDuplicates {
                let mark = offset == last & ~Self.walking ? Self.walking : 0
                hint.value = found.end | mark
            }
            return found
        }
        // The locator may name the place of another multihash. If the index has this one, the bytes are not what was
        // indexed: they must not answer "not here".
        if isDoubtful { try checkAbsent(digest, layout) }
        return nil
    }

    /// Checks that the index has no section with a multihash whose place in the bytes has another.
    @inline(never)
    func checkAbsent(_ digest: ByteView, _ layout: CIDLayout) throws {
        guard try index.contains(hashCode: layout.hashCode, digest: digest) else { return }
        throw changed(origin.name)
    }

    /// The longest block whose pages are left to come one by one, when they are touched.
    private static let faultedSizeMax = 16 << 10
    /// A walk has the system read so many bytes ahead, as a power of two.
    private static let windowBits: UInt64 = 20

    /// Has the system read the window after the one in which a walk stands.
    private func readAhead(from offset: UInt64) {
        guard isMapped else { return }
        let start = Int(((offset >> Self.windowBits) + 1) << Self.windowBits)
        guard start < memory.count else { return }
        memory[start..<min(memory.count, start + (1 << Int(Self.windowBits)))].willNeed()
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

    /// Room for a section's varint and for a CID's head, whatever they are.
    private static let headSizeMax = 64

    /// The section at `offset`, if it has this multihash.
    @inline(__always)
    func confirm(
        _ payload: ByteView,
        _ offset: UInt64,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) throws -> Section? {
        guard offset < UInt64(payload.count) else { return nil }
        guard isGuarded else {
            return Self.confirm(
                payload,
                at: Int(offset),
                of: 0,
                remaining: payload.count - Int(offset),
                cid,
                layout
            )
        }
        return try confirmGuarded(payload, Int(offset), cid, layout)
    }

    /// The same on a copy of the section's head, because the file may become shorter at any moment.
    private func confirmGuarded(
        _ payload: ByteView,
        _ offset: Int,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) throws -> Section? {
        let remaining = payload.count - offset
        let size = min(remaining, layout.digestSize + Self.headSizeMax)
        var found: Section?
        let isThere = GuardedCopy.withCopy(of: payload[offset..<offset + size]) { head in
            found = Self.confirm(head, at: 0, of: UInt64(offset), remaining: remaining, cid, layout)
        }
        guard isThere else { throw bytesAreGone }
        return found
    }

    /// What the library says instead of being killed.
    var bytesAreGone: DAGStoreError {
        DAGStoreError(.sourceChanged, "\(origin.name) became shorter", shard: key)
    }

    /// The section at `start` of a window of the payload, if it has this multihash.
    private static func confirm(
        _ window: ByteView,
        at start: Int,
        of windowOffset: UInt64,
        remaining: Int,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) -> Section? {
        let prefix = Varint.decode(window, at: start)
        let cidStart = start + prefix.size
        guard prefix.size > 0, prefix.value <= UInt64(remaining - prefix.size) else { return nil }
        // The very CID that is asked for, as nearly always: nothing has to be taken apart.
        if prefix.value >= UInt64(cid.count), cidStart + cid.count <= window.count,
            window[cidStart..<cidStart + cid.count].elementsEqual(cid)
        {
            return Section(
                offset: windowOffset + UInt64(start),
                prefixSize: prefix.size,
                length: prefix.value,
                cid: layout
            )
        }
        // The multihash, under whatever CID.
        guard
            let found = Section.reading(window, at: start, of: windowOffset, remaining: remaining),
            found.cid.hashCode == layout.hashCode, found.cid.digestSize == layout.digestSize
        else { return nil }
        let digest = cid[layout.digestOffset..<cid.count]
        let place = cidStart + found.cid.digestOffset
        guard place + digest.count <= window.count,
            window[place..<place + digest.count].elementsEqual(digest)
        else { return nil }
        return found
    }

    // MARK: Bytes

    /// The block at `section`, if no network is needed for it.
    ///
    /// - Throws: `mountUnreachable` if its bytes are elsewhere; `sourceChanged`.
    func bytes(of section: Section) throws -> BlockBytes {
        guard shares.count == 0 else {
            // A block counts the share of its thread. The payload itself is not looked at: that would count it.
            let start = Int(section.dataOffset)
            let view = memory[start..<start + Int(section.dataSize)]
            // Faults bring four kilobytes each: a cold block of 1 MiB would wait 256 times.
            if isMapped, view.count > Self.faultedSizeMax { view.willNeed() }
            return BlockBytes(
                view: view,
                owner: shares[Stripe.own(of: shares.count)].object,
                isMapped: isMapped
            )
        }
        switch payload {
        case .memory: preconditionFailure("memory without shares")
        case .file(let file):
            let bytes = try file.read(
                at: root.dataOffset + section.dataOffset,
                size: Int(section.dataSize)
            )
            return BlockBytes(view: bytes.view, owner: bytes)
        case .remote(let remote):
            throw DAGStoreError(.mountUnreachable, "\(remote.name) is not local", shard: key)
        }
    }

    /// The same from wherever its bytes are; the thread blocks.
    func bytesBlocking(of section: Section) throws -> BlockBytes {
        guard case .remote(let remote) = payload else { return try bytes(of: section) }
        let bytes = try remote.readBlocking(
            at: root.dataOffset + section.dataOffset,
            size: Int(section.dataSize)
        )
        return BlockBytes(view: bytes.view, owner: bytes)
    }

    /// The block at `section`, from wherever its bytes are.
    func bytesFromAnywhere(of section: Section) async throws -> BlockBytes {
        guard case .remote(let remote) = payload else { return try bytes(of: section) }
        let bytes = try await remote.read(
            at: root.dataOffset + section.dataOffset,
            size: Int(section.dataSize)
        )
        return bytes.withView { BlockBytes(copying: $0) }
    }
}
