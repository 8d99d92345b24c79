/// The choices that decide which blocks describe a file or folder.
///
/// Two programs with the same profile give the same folder the same root. The defaults are the profile
/// `unixfs-v1-2025`: CIDs of version 1, sha2-256, fixed chunks, balanced files, and HAMT directories of 256 places.
///
/// Source: IPIP-499, "UnixFS CID Profiles".
public struct UnixFSProfile: Hashable, Sendable {
    /// The largest chunk and the largest HAMT threshold, in bytes: IPFS nodes exchange no larger blocks.
    public static let blockSizeMax = 2 << 20
    /// The largest number of links in a block of a file; such a block stays below `blockSizeMax`.
    public static let widthMax = 16_384

    /// The size of every leaf of a file but the last, in bytes; 1 to `blockSizeMax`.
    public var chunkSize = 1 << 20
    /// The largest number of links in a block of a file; 2 to `widthMax`.
    public var width = 1024
    /// The size in bytes above which the block of a directory becomes a HAMT; at most `blockSizeMax`.
    ///
    /// An empty directory never becomes a HAMT.
    public var hamtThreshold = 256 << 10
    /// Whether a leaf is the bytes of the file alone; if not, it is a dag-pb block around them.
    public var hasRawLeaves = true

    /// Creates the profile `unixfs-v1-2025`.
    public init() {}

    /// Checks the ranges of all properties.
    public var isValid: Bool {
        (1...Self.blockSizeMax).contains(chunkSize) && (2...Self.widthMax).contains(width)
            && (0...Self.blockSizeMax).contains(hamtThreshold)
    }
}
