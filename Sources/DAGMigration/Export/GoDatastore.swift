internal import DAGBytes
internal import DAGCAR
internal import DAGStorage
internal import SystemPackage

/// The datastore of a Go node: the records of its shards, and its inverse index.
///
/// *Concurrency*: one thread.
struct GoDatastore {
    private struct Member {
        let shard: ExportedShard
        let hasIndex: Bool
        /// The key as an element of a JSON array.
        let quoted: [UInt8]
    }

    static let inversePrefix = Array("/inverted/index".utf8)

    private let exporter: ShardExporter
    private let members: [Member]
    /// The places of members, by their shards' numbers.
    private let places: [UInt32: Int]

    /// A datastore of `shards`, which are in the order of their numbers; `hasIndex` says whether each has an index
    /// file.
    init(_ exporter: ShardExporter, _ shards: [(ExportedShard, hasIndex: Bool)]) {
        self.exporter = exporter
        members = shards.map { shard, hasIndex in
            Member(
                shard: shard,
                hasIndex: hasIndex,
                quoted: Array(GoJSON.quoted(shard.key.text).utf8)
            )
        }
        let numbered = shards.enumerated().map { ($1.0.number, $0) }
        places = Dictionary(uniqueKeysWithValues: numbered)
    }

    /// Writes the datastore.
    ///
    /// *Cost*: a row for every multihash; two walks over each index, and a search in the inverse index for
    /// each section.
    ///
    /// - Parameters:
    ///   - directory: An empty folder.
    ///   - mountURLs: The URLs of the shards.
    ///   - progress: Receives the number of sections that were written.
    /// - Returns: The places of shards that were left out because an earlier record has their key.
    /// - Throws: `.destinationUnwritable`, `DAGStoreError`.
    func write(
        to directory: FilePath,
        mountURLs: [String],
        _ progress: (UInt64) -> Void
    ) throws -> [Int] {
        let writer = try LevelDBWriter(creating: directory)
        let duplicates = try writeRecords(writer, mountURLs)
        var done: UInt64 = 0
        for member in members where isInInverse(member) {
            try writeInverse(of: member, writer)
            done += member.shard.entries ?? 0
            progress(done)
        }
        // Mangled keys come last, because other multihashes may own the same keys.
        for member in members where isInInverse(member) { try writeMangled(of: member, writer) }
        try writer.finish()
        return duplicates
    }

    private func writeRecords(
        _ writer: LevelDBWriter,
        _ mountURLs: [String]
    ) throws(MigrationError) -> [Int] {
        var keys = Set<[UInt8]>()
        var duplicates: [Int] = []
        for (place, (member, url)) in zip(members, mountURLs).enumerated() {
            let shard = member.shard
            let key = GoRecord.datastoreKey(of: shard.key.text)
            guard keys.insert(key).inserted else {
                duplicates.append(place)
                continue
            }
            let state =
                switch shard.state {
                case .failed: GoRecord.State.errored
                case .available where member.hasIndex: GoRecord.State.available
                default: GoRecord.State.new
                }
            let record = GoRecord(
                key: shard.key.text,
                mountURL: url,
                // The transient belongs to this store or the user; the node would delete it as its own.
                transientPath: "",
                state: state,
                isLazy: shard.isLazy,
                error: shard.error
            )
            try writer.put(key, record.encoded)
        }
        return duplicates
    }

    // MARK: Inverse index

    /// Whether the reference indexes the shard's multihashes; it cannot walk over an index of codec 0x0400.
    private func isInInverse(_ member: Member) -> Bool {
        member.hasIndex && member.shard.codec == CARIndex.multihashSorted
    }

    private func writeInverse(of member: Member, _ writer: LevelDBWriter) throws {
        var multihash: [UInt8] = []
        try forEachEntry(of: member) { hashCode, digest in
            multihash.setMultihash(hashCode: hashCode, digest: digest)
            guard multihash.withView(GoPath.isClean) else { return }
            let holders = try holders(of: member, hashCode, digest)
            // The first shard writes the row for all shards.
            guard holders.first?.shard.number == member.shard.number else { return }
            let key = Self.inversePrefix + [UInt8(ascii: "/")] + multihash
            try writer.put(key, Self.array(holders.map(\.quoted)))
        }
    }

    private func writeMangled(of member: Member, _ writer: LevelDBWriter) throws {
        var multihash: [UInt8] = []
        try forEachEntry(of: member) { hashCode, digest in
            multihash.setMultihash(hashCode: hashCode, digest: digest)
            guard !multihash.withView(GoPath.isClean) else { return }
            let key = Self.inversePrefix + GoPath.cleanRooted(multihash)
            // Elements are compared by their bytes: Swift calls some strings of different bytes equal.
            let row = try writer.value(of: key).map { try GoNodeLayout.keys(in: $0) } ?? []
            let elements = row.map { Array(GoJSON.quoted($0).utf8) }
            guard !elements.contains(member.quoted) else { return }
            try writer.put(key, Self.array(elements + [member.quoted]))
        }
    }

    private func forEachEntry(
        of member: Member,
        _ body: (_ hashCode: UInt64, _ digest: ByteView) throws -> Void
    ) throws {
        _ = try exporter.forEachEntry(of: member.shard.key) { entry in
            guard let hashCode = entry.hashCode,
                hashCode != HashCode.identity || member.shard.hasIdentity
            else { return true }
            try body(hashCode, entry.digest)
            return true
        }
    }

    /// Returns the shards that have a multihash in the reference's inverse index.
    private func holders(
        of member: Member,
        _ hashCode: UInt64,
        _ digest: ByteView
    ) throws -> [Member] {
        let numbers = try exporter.holders(
            hashCode: hashCode,
            digest: digest,
            besides: member.shard.number
        )
        return numbers.compactMap { number in
            guard let place = places[number], isInInverse(members[place]),
                hashCode != HashCode.identity || members[place].shard.hasIdentity
            else { return nil }
            return members[place]
        }
    }

    private static func array(_ elements: [[UInt8]]) -> [UInt8] {
        let inner = elements.joined(separator: [UInt8(ascii: ",")])
        return [UInt8(ascii: "[")] + inner + [UInt8(ascii: "]")]
    }
}
