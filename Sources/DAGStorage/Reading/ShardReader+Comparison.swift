internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import ShardIndex
internal import SharedReads

/// Comparing the source of a shard with what was indexed.
extension ShardReader {
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

    func changed(_ name: String) -> DAGStoreError {
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
        var steps = IndexSteps()
        var walk = car.walk()
        try walk.forEach { section, digest in
            guard let (page, slot) = try steps.next(in: index) else { throw other }
            if slot == 0 { try checkCancelled() }
            guard page.offset(of: slot) == section.offset,
                page.matches(slot, hashCode: section.cid.hashCode, digest: digest)
            else { throw other }
        }
        guard steps.isAtEnd(of: index) else { throw other }
    }
}
