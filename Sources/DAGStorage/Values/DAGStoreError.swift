/// The reason why a store failed to do something.
///
/// Two errors are equal if their codes are equal. The store persists the code of a shard's failure, so the code is
/// the same after a restart.
public struct DAGStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of an error; the raw value is its number in the C interface and on disk.
    ///
    /// Minor releases add codes, so a `switch` needs a `default`. A number is never reused.
    public struct Code: RawRepresentable, Hashable, Sendable, CaseIterable, CustomStringConvertible
    {
        /// The codes of this version, for a `switch` that the compiler checks.
        package enum Known: Int32, CaseIterable, Sendable {
            case shardUnknown = -1
            case blockNotFound = -2
            case pathNotFound = -3
            case invalidArgument = -10
            case invalidKey = -11
            case invalidCID = -12
            case invalidConfiguration = -13
            case unknownScheme = -14
            case unsupportedHash = -15
            case shardExists = -16
            case shardInUse = -17
            case notFailed = -18
            case mountUnreachable = -20
            case mountGone = -21
            case fetchFailed = -22
            case fetchTimedOut = -23
            case sourceChanged = -24
            case malformedCAR = -30
            case truncated = -31
            case unsupportedVersion = -32
            case limitExceeded = -33
            case hashMismatch = -34
            case malformedIndex = -35
            case malformedBlock = -36
            case catalogCorrupt = -40
            case catalogFull = -41
            case catalogLocked = -42
            case catalogTooNew = -43
            case readOnly = -44
            case quotaExceeded = -45
            case shardFailed = -46
            case outOfResources = -47
            case tooManyReaders = -48
            case reopenNeeded = -49
            case closed = -50
            case cancelled = -51
            case deadlineExceeded = -52
            case unsupportedCodec = -60
            case pathNotALink = -61
            case catalogUnreachable = -62
        }

        /// The code as a case for a `switch`.
        package let known: Known

        /// No shard has this key.
        public static let shardUnknown = Self(.shardUnknown)
        /// The shard, or the store, lacks the block.
        public static let blockNotFound = Self(.blockNotFound)
        /// A segment of a path names nothing.
        public static let pathNotFound = Self(.pathNotFound)
        /// An argument is out of range.
        public static let invalidArgument = Self(.invalidArgument)
        /// The key is empty, has more than 480 bytes, or has a NUL.
        public static let invalidKey = Self(.invalidKey)
        /// The text or bytes are not a CID.
        public static let invalidCID = Self(.invalidCID)
        /// A field of the configuration is out of range.
        public static let invalidConfiguration = Self(.invalidConfiguration)
        /// The scheme of the mount URL is not registered.
        public static let unknownScheme = Self(.unknownScheme)
        /// This package cannot compute the hash function, or the digest is too short.
        public static let unsupportedHash = Self(.unsupportedHash)
        /// Another shard has the key.
        public static let shardExists = Self(.shardExists)
        /// The shard has leases.
        public static let shardInUse = Self(.shardInUse)
        /// The shard is sound, so there is nothing to recover.
        public static let notFailed = Self(.notFailed)
        /// The source exists, but a read of it failed.
        public static let mountUnreachable = Self(.mountUnreachable)
        /// The source does not exist.
        public static let mountGone = Self(.mountGone)
        /// The source could not be copied.
        public static let fetchFailed = Self(.fetchFailed)
        /// The source took too long.
        public static let fetchTimedOut = Self(.fetchTimedOut)
        /// The source has other bytes than the indexed ones.
        public static let sourceChanged = Self(.sourceChanged)
        /// The bytes are not a CAR.
        public static let malformedCAR = Self(.malformedCAR)
        /// The CAR ends early.
        public static let truncated = Self(.truncated)
        /// The CAR version is neither 1 nor 2.
        public static let unsupportedVersion = Self(.unsupportedVersion)
        /// A size or count exceeds a limit.
        public static let limitExceeded = Self(.limitExceeded)
        /// The bytes of a block have another hash than its CID says.
        public static let hashMismatch = Self(.hashMismatch)
        /// An index is malformed, or contradicts its CAR.
        public static let malformedIndex = Self(.malformedIndex)
        /// The bytes of a block break the rules of its codec, or of UnixFS.
        public static let malformedBlock = Self(.malformedBlock)
        /// The catalog is damaged.
        public static let catalogCorrupt = Self(.catalogCorrupt)
        /// The disk or the map is full; the call changed nothing.
        public static let catalogFull = Self(.catalogFull)
        /// Another process has the store open.
        public static let catalogLocked = Self(.catalogLocked)
        /// A newer version wrote the store.
        public static let catalogTooNew = Self(.catalogTooNew)
        /// The store cannot be written.
        public static let readOnly = Self(.readOnly)
        /// The quota for local copies is used up.
        public static let quotaExceeded = Self(.quotaExceeded)
        /// The shard failed before and was not recovered.
        public static let shardFailed = Self(.shardFailed)
        /// The process lacks descriptors, memory or threads; no shard fails.
        public static let outOfResources = Self(.outOfResources)
        /// Other readers hold all slots of the catalog.
        public static let tooManyReaders = Self(.tooManyReaders)
        /// A write of the catalog failed, or the catalog has outgrown its map: close the store and open it again.
        public static let reopenNeeded = Self(.reopenNeeded)
        /// The catalog of the cluster does not answer.
        public static let catalogUnreachable = Self(.catalogUnreachable)
        /// The store was closed.
        public static let closed = Self(.closed)
        /// The operation was cancelled.
        public static let cancelled = Self(.cancelled)
        /// The caller's deadline passed.
        public static let deadlineExceeded = Self(.deadlineExceeded)

        /// A codec whose links this package does not know, where links are followed.
        public static let unsupportedCodec = Self(.unsupportedCodec)
        /// A path that ends at a value inside a block, which is no link.
        public static let pathNotALink = Self(.pathNotALink)

        package init(_ known: Known) { self.known = known }

        /// Creates the code with a number; nil if this version has no such code.
        public init?(rawValue: Int32) {
            guard let known = Known(rawValue: rawValue) else { return nil }
            self.known = known
        }

        /// The number.
        public var rawValue: Int32 { known.rawValue }

        /// All codes of this version.
        public static var allCases: [Self] { Known.allCases.map(Self.init) }

        /// The name, as in JSON.
        public var name: String { String(describing: known) }

        /// The name.
        public var description: String { name }

        /// Whether the source is away and may come back by itself, so that the shard keeps its index.
        var isAway: Bool {
            switch known {
            case .mountUnreachable, .mountGone, .fetchFailed, .fetchTimedOut: true
            default: false
            }
        }

        /// Whether the cause is the store, the process or the end of a call, and not the shard.
        var isOwn: Bool {
            switch known {
            case .outOfResources, .tooManyReaders, .reopenNeeded, .catalogFull, .readOnly, .closed,
                .cancelled, .catalogUnreachable:
                true
            default: false
            }
        }

        /// Whether this error fails a shard, until the shard is recovered.
        ///
        /// An error of the store or of the caller, such as a full disk or an unknown scheme, fails no shard.
        var failsShard: Bool {
            switch exitStatus {
            // The shard has the block that its maker put there, whatever its links are.
            case 4, 5: self != .malformedBlock
            default: self == .catalogCorrupt
            }
        }

        /// The exit status of a program that ends with this error.
        public var exitStatus: Int32 {
            switch known {
            case .shardUnknown, .blockNotFound, .pathNotFound: 3
            case .invalidArgument, .invalidKey, .invalidCID, .invalidConfiguration, .unknownScheme,
                .unsupportedHash, .shardExists, .shardInUse, .notFailed, .unsupportedCodec,
                .pathNotALink:
                2
            case .mountUnreachable, .mountGone, .fetchFailed, .fetchTimedOut, .sourceChanged: 4
            case .malformedCAR, .truncated, .unsupportedVersion, .limitExceeded, .hashMismatch,
                .malformedIndex, .malformedBlock:
                5
            case .catalogCorrupt, .catalogFull, .catalogLocked, .catalogTooNew, .readOnly,
                .quotaExceeded, .shardFailed, .outOfResources, .tooManyReaders, .reopenNeeded,
                .catalogUnreachable:
                6
            case .closed, .cancelled, .deadlineExceeded: 7
            }
        }
    }

    /// The kind of error.
    public let code: Code
    /// The error as text.
    public let message: String
    /// The shard that the error is about; nil if it is about no shard.
    public var shard: ShardKey?
    /// The offset of the wrong bytes, as in `CARError.offset`; nil for other errors.
    public let offset: UInt64?
    /// The next step for the caller; nil if the usual step for the code applies.
    package var advice: String?

    /// Creates an error.
    @inline(never)
    public init(_ code: Code, _ message: String, shard: ShardKey? = nil, offset: UInt64? = nil) {
        self.code = code
        self.message = message
        self.shard = shard
        self.offset = offset
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code, the shard and the message.
    public var description: String {
        "\(code.name): " + (shard.map { "shard \($0): " } ?? "") + message
    }

    /// Returns the same error about a shard.
    func about(_ key: ShardKey) -> DAGStoreError {
        var error = self
        error.shard = key
        return error
    }
}
