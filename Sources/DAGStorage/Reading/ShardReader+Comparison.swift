internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import ShardIndex
internal import SharedReads

/// Compares the source of a shard with its index.
extension ShardReader {
    /// Checks that the file still has the indexed bytes; does nothing for a source without a file of its own.
    ///
    /// - Throws: `sourceChanged` if the bytes differ; the errors of the reads.
    func checkSource() throws {
        guard let path = watchedPath else { return }
        let now = try FileIdentity(at: path)
        guard !now.isUnchanged(since: accepted.withLock({ $0 })) else { return }
        guard now.size == sourceSize else { throw changed(path.string) }
        // The file was touched or replaced. If the new file has the same bytes, the mapping stays.
        let file = try LocalFile(opening: path)
        try checkSample(of: file)
        accepted.withLock { $0 = file.identity }
    }

    /// The number of pages in a sample, and of sections from each page.
    private static let samplePages = 24
    private static let sampleSlots = 4

    /// Checks that a source has the indexed header, and a sample of the indexed sections.
    ///
    /// *Cost*: reads the heads of at most 98 sections.
    ///
    /// - Throws: `sourceChanged` if the source differs; the errors of the reads.
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

    /// Checks that another source has exactly the indexed sections.
    ///
    /// *Cost*: walks over all sections, and decodes every page.
    ///
    /// - Throws: `sourceChanged` if a section differs; the errors of the walk and of `checkCancelled`.
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
        try car.withHeaderWalk { walk in
            try walk.forEach { section, digest in
                guard let (page, slot) = try steps.next(in: index) else { throw other }
                if slot == 0 { try checkCancelled() }
                guard page.offset(of: slot) == section.offset,
                    page.matches(slot, hashCode: section.cid.hashCode, digest: digest)
                else { throw other }
            }
        }
        guard steps.isAtEnd(of: index) else { throw other }
    }
}
