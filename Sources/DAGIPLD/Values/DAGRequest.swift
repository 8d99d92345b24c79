public import DAGMultiformats

/// The part of a DAG that is wanted at the end of a path.
public enum DAGScope: String, Sendable, CaseIterable {
    /// The block at the end of the path.
    case block
    /// The file, or the directory without what is in it; of anything but UnixFS, the block.
    case entity
    /// Everything that can be reached.
    case all
}

/// Bounds for the work that a DAG may cause; a DAG from outside can be hostile.
///
/// A walk that meets a bound ends with `limitExceeded`.
public struct DAGLimits: Hashable, Sendable {
    /// The largest block that is decoded, in bytes.
    ///
    /// Blocks without links, such as raw ones, may have any size.
    public var blockSizeMax = 8 << 20
    /// The largest number of links in one block.
    public var linksMax = 1 << 20
    /// The largest number of blocks on the way down that have links left to follow.
    ///
    /// A block whose last link is being followed counts no more, so that a list has any length.
    public var depthMax = 1 << 16
    /// The largest total of CIDs that wait to be followed, in bytes.
    public var pendingSizeMax = 64 << 20
    /// The largest number of distinct blocks in a walk without duplicates.
    ///
    /// The walk remembers each with 16 bytes, in a table that is at least 3/8 full: at most 43 bytes a block.
    public var distinctBlocksMax = 1 << 22
    /// The largest number of segments in a path.
    public var pathSegmentsMax = 1024
    /// The deepest nesting of maps and lists in one block.
    public var nestingMax = 1024
    /// Whether a block must have the one form that its codec's specification gives its content.
    ///
    /// If not, dag-cbor may have its keys in any order and numbers in more bytes than they need, and dag-json may
    /// have white space.
    public var requiresCanonicalForm = true

    /// The usual bounds.
    public init() {}
}

/// The question that a walk of a DAG answers.
public struct DAGRequest: Sendable, Hashable {
    /// Where the path begins.
    public var root: CID
    /// The path from there to what is wanted.
    public var path: IPLDPath
    /// How much is wanted there.
    public var scope: DAGScope
    /// The bytes of a file that are wanted; implies the scope `entity`, and says nothing about anything but files.
    public var entityBytes: EntityBytes?
    /// Whether a block is sent as often as the DAG has it.
    ///
    /// A small DAG can have a block more often than any disk holds, so the caller bounds the total.
    public var sendsDuplicates: Bool
    /// The bounds.
    public var limits: DAGLimits

    /// Creates a request: all of a DAG, each block once, unless told otherwise.
    public init(
        root: CID,
        path: IPLDPath = .empty,
        scope: DAGScope = .all,
        entityBytes: EntityBytes? = nil,
        sendsDuplicates: Bool = false,
        limits: DAGLimits = DAGLimits()
    ) {
        self.root = root
        self.path = path
        self.scope = entityBytes == nil ? scope : .entity
        self.entityBytes = entityBytes
        self.sendsDuplicates = sendsDuplicates
        self.limits = limits
    }
}
