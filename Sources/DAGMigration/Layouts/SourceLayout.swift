internal import DAGBytes
internal import SystemPackage

/// One way in which a source keeps its shards.
///
/// A layout recognizes its folder, plans its shards, names their problems and reads their records. Nothing else in
/// this module asks which layout a source has.
protocol SourceLayout: Sendable {
    static var name: MigrationLayout { get }
    /// Whether offsets count from the start of the piece; otherwise they count from the start of the payload.
    static var countsFromPieceStart: Bool { get }

    /// The folder in which everything lies.
    var root: FilePath { get }

    /// Opens the source at `path`; nil if the folder has another layout.
    ///
    /// - Parameters:
    ///   - path: A folder, absolute.
    ///   - names: The names of the files in it, sorted.
    ///   - isRequested: Whether the caller asked for this layout.
    /// - Throws: `.unknownLayout`, `.unsupportedVersion`, `.sourceUnreadable`, `.sourceCorrupt`, `.notBuiltIn`.
    init?(at path: FilePath, names: [String], isRequested: Bool) throws(MigrationError)

    /// Adds the source's shards and problems to a plan.
    ///
    /// - Throws: `.sourceCorrupt`, `.sourceUnreadable`, `.sourceChanged`, `.notBuiltIn`.
    func plan(with planner: inout Planner) throws(MigrationError)

    /// Finds the records of a planned shard that has some.
    ///
    /// `dataOffset` is where the payload begins, if offsets count from the start of the piece. The result is nil if
    /// the plan does not say where the records are. Throws `.sourceUnreadable`, `.truncated` and `.malformedIndex`.
    func records(
        of shard: PlannedShard,
        dataOffset: UInt64
    ) throws(MigrationError) -> (any MigrationRecords)?

    /// Calls `body` with every row of the source's inverse index.
    ///
    /// - Parameter body: Receives the multihash, nil if the row's key is none; and the keys of its shards, nil if the
    ///   row is malformed.
    /// - Throws: `MigrationError`, and what `body` throws.
    func forEachInverseRow(_ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void) throws
}

extension SourceLayout {
    static var countsFromPieceStart: Bool { false }

    func records(
        of shard: PlannedShard,
        dataOffset: UInt64
    ) throws(MigrationError) -> (any MigrationRecords)? {
        guard let path = shard.indexPath else { return nil }
        return try IndexFile(at: path)
    }

    func forEachInverseRow(
        _ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void
    ) throws {}
}

/// The records that say where a shard's multihashes are, read from a source.
protocol MigrationRecords {
    /// The file or folder that they are read from.
    var path: FilePath { get }

    /// Calls `body` with every record, in any order, the same at each call.
    ///
    /// - Parameter body: Receives the hash function if it is known, the digest, valid during the call, and
    ///   the section's offset.
    /// - Throws: `.malformedIndex`, `.sourceChanged`, `.sourceUnreadable`, and what `body` throws.
    func forEach(
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64) throws(MigrationError)
            -> Void
    ) throws(MigrationError)
}
