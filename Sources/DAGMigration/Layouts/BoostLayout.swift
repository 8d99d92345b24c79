internal import DAGBytes
internal import DAGStorage
internal import FoundationEssentials
internal import SystemPackage

/// Boost's Local Index Directory: a LevelDB with the records of every piece.
///
/// ```
/// / 01 00*9 / <piece CID>          JSON, "c" is the cursor
/// / 02 00*9 <multihash in hex>     JSON, [{"/":"<piece CID>"},...]
/// / <cursor> / <multihash in hex>  uvarint offset, uvarint size of the block
/// ```
///
/// Offsets are those of sections in the piece. In a CARv2 they count from the start of the file, where an index of
/// go-car counts from the start of the payload.
struct BoostLayout: SourceLayout {
    static let name = MigrationLayout.boostLID
    static let countsFromPieceStart = true

    /// What Boost knows of a piece.
    private struct Metadata: Decodable {
        /// The number of the piece's records; 0 or absent if Boost has not indexed the piece.
        let c: UInt64?
    }

    private struct Link: Decodable {
        let cid: String

        enum CodingKeys: String, CodingKey { case cid = "/" }
    }

    private static let slash = UInt8(ascii: "/")
    private static let nextCursorKey = [slash] + [UInt8](repeating: 0, count: 10)
    private static let metadataPrefix = [slash, 1] + [UInt8](repeating: 0, count: 9) + [slash]
    private static let inversePrefix = [slash, 2] + [UInt8](repeating: 0, count: 9)

    let root: FilePath
    private let reader: LevelDBReader

    init?(at path: FilePath, names: [String], isRequested: Bool) throws(MigrationError) {
        let folders = [path.appending("lid/leveldb"), path.appending("leveldb"), path]
        guard let root = try FilePath.first(of: folders, with: "CURRENT") else { return nil }
        self.root = root
        reader = try LevelDBReader(at: root)
        let isBoost = isRequested ? true : try Self.isRecognized(reader)
        guard isBoost else {
            let detail = "the LevelDB is not Boost's; for a Go node's, name the folder above it"
            throw MigrationError(.unknownLayout, root, detail)
        }
    }

    /// Whether this is Boost's database: it numbers the records of pieces from the first on.
    private static func isRecognized(_ reader: LevelDBReader) throws(MigrationError) -> Bool {
        var isFound = false
        for prefix in [nextCursorKey, metadataPrefix] {
            try reader.forEach(prefix: prefix) { _, _ in
                isFound = true
                return false
            }
        }
        return isFound
    }

    // MARK: Planning

    func plan(with planner: inout Planner) throws(MigrationError) {
        let first = planner.plan.shards.count
        var users: [UInt64: Int] = [:]
        try forEachPiece { piece, cursor in
            guard let piece else {
                planner.plan.strays.add(.malformedRecord, "the name of a piece is not UTF-8")
                return
            }
            guard planner.isNew(piece) else { return }
            var shard = PlannedShard(key: piece, mountURL: "lotus://\(piece)")
            if let cursor {
                users[cursor, default: 0] += 1
            } else {
                shard.problems.add(.malformedRecord, "the metadata of \(piece)")
            }
            shard.cursor = cursor
            planner.plan.shards.append(shard)
        }
        for number in first..<planner.plan.shards.count {
            var shard = planner.plan.shards[number]
            planner.checkKey(of: &shard)
            planner.checkMount(of: &shard)
            try countRecords(of: &shard, users)
            planner.plan.shards[number] = shard
        }
        try planner.addSize(of: root)
    }

    /// Calls `body` with every piece, in the order of their CIDs.
    ///
    /// - Parameter body: Receives the piece's CID, nil if it is not UTF-8; and its cursor, nil if its metadata is
    ///   malformed.
    /// - Throws: `.sourceCorrupt`, and what `body` throws.
    private func forEachPiece(
        _ body: (_ piece: String?, _ cursor: UInt64?) throws(MigrationError) -> Void
    ) throws(MigrationError) {
        let prefix = Self.metadataPrefix
        try reader.forEach(prefix: prefix) { (key, value) throws(MigrationError) in
            let piece = String(validating: key[prefix.count..<key.count].copied, as: UTF8.self)
            let metadata = try? JSONDecoder().decode(Metadata.self, from: Data(value.copied))
            try body(piece, metadata.map { $0.c ?? 0 })
            return true
        }
    }

    /// Counts the records of a piece; a piece whose records can be read becomes available.
    private func countRecords(
        of shard: inout PlannedShard,
        _ users: [UInt64: Int]
    ) throws(MigrationError) {
        guard let cursor = shard.cursor else { return }
        let records = BoostRecords(path: root, reader: reader, cursor: cursor, dataOffset: 0)
        var count: UInt64 = 0
        do throws(MigrationError) {
            try records.forEach { _, _, _ in count += 1 }
        } catch {
            guard error.code == .malformedIndex else { throw error }
            shard.problems.add(.malformedIndex, error.detail)
            return
        }
        guard count > 0 else {
            // A piece that Boost has not indexed lacks nothing.
            if cursor != 0 {
                let detail = "\(shard.key): no records under cursor \(cursor)"
                shard.problems.add(.missingIndex, detail)
            }
            return
        }
        guard users[cursor] == 1 else {
            shard.problems.add(.sharedCursor, "cursor \(cursor), \(users[cursor] ?? 0) pieces")
            return
        }
        shard.state = .available
        shard.entries = count
    }

    // MARK: Reading

    func records(
        of shard: PlannedShard,
        dataOffset: UInt64
    ) throws(MigrationError) -> (any MigrationRecords)? {
        guard let cursor = shard.cursor else { return nil }
        return BoostRecords(path: root, reader: reader, cursor: cursor, dataOffset: dataOffset)
    }

    func forEachInverseRow(
        _ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void
    ) throws {
        try reader.forEachInverseRow(
            prefix: Self.inversePrefix,
            multihash: BoostRecords.multihash(in:),
            keys: { try? JSONDecoder().decode([Link].self, from: Data($0)).map(\.cid) },
            body
        )
    }
}
