/// Why a store could not do what was asked.
///
/// Two errors are equal when their codes are. The code of a shard's failure is persisted, so that it is
/// the same after a restart.
public struct DAGStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of an error; the raw value is its number in the C interface and on disk, and is never reused.
    ///
    /// Minor releases add codes, so that a `switch` needs a `default`.
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
        }

        /// The code as one of those that this version knows.
        package let known: Known

        /// No shard has this key.
        public static let shardUnknown = Self(.shardUnknown)
        /// The block is not here.
        public static let blockNotFound = Self(.blockNotFound)
        /// A segment of a path names nothing.
        public static let pathNotFound = Self(.pathNotFound)
        /// An argument is out of range.
        public static let invalidArgument = Self(.invalidArgument)
        /// A key that is empty, over 480 bytes, or has a NUL.
        public static let invalidKey = Self(.invalidKey)
        /// Text or bytes that are no CID.
        public static let invalidCID = Self(.invalidCID)
        /// A field of the configuration is out of range.
        public static let invalidConfiguration = Self(.invalidConfiguration)
        /// A mount URL whose scheme is not registered.
        public static let unknownScheme = Self(.unknownScheme)
        /// A hash function that cannot be computed here.
        public static let unsupportedHash = Self(.unsupportedHash)
        /// The key is taken.
        public static let shardExists = Self(.shardExists)
        /// The shard has leases.
        public static let shardInUse = Self(.shardInUse)
        /// The shard has not failed, so that there is nothing to recover.
        public static let notFailed = Self(.notFailed)
        /// The source is there and cannot be read.
        public static let mountUnreachable = Self(.mountUnreachable)
        /// The source is not there.
        public static let mountGone = Self(.mountGone)
        /// The source could not be copied.
        public static let fetchFailed = Self(.fetchFailed)
        /// The source took too long.
        public static let fetchTimedOut = Self(.fetchTimedOut)
        /// The source is not what was indexed.
        public static let sourceChanged = Self(.sourceChanged)
        /// The bytes are no CAR.
        public static let malformedCAR = Self(.malformedCAR)
        /// The CAR ends early.
        public static let truncated = Self(.truncated)
        /// A CAR version other than 1 and 2.
        public static let unsupportedVersion = Self(.unsupportedVersion)
        /// Larger than a limit.
        public static let limitExceeded = Self(.limitExceeded)
        /// A block's bytes do not have its CID's hash.
        public static let hashMismatch = Self(.hashMismatch)
        /// An index is malformed, or contradicts its CAR.
        public static let malformedIndex = Self(.malformedIndex)
        /// The bytes of a block break the rules of its codec, or of UnixFS.
        public static let malformedBlock = Self(.malformedBlock)
        /// The store's own data are damaged.
        public static let catalogCorrupt = Self(.catalogCorrupt)
        /// The disk or the map is full; nothing was changed.
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
        /// The process has no descriptors, memory or threads left for it; no shard has failed.
        public static let outOfResources = Self(.outOfResources)
        /// Other readers hold all slots of the catalog.
        public static let tooManyReaders = Self(.tooManyReaders)
        /// A write of the catalog failed, or it has outgrown what this process reserved: close the store and open it
        /// again.
        public static let reopenNeeded = Self(.reopenNeeded)
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

        /// The code with a number; nil if this version has none.
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

        /// Whether the source may be back by itself: a shard that has an index stays indexed.
        var isAway: Bool {
            switch known {
            case .mountUnreachable, .mountGone, .fetchFailed, .fetchTimedOut: true
            default: false
            }
        }

        /// Whether the cause is the store, the process or the end of a call, and never the shard.
        var isOwn: Bool {
            switch known {
            case .outOfResources, .tooManyReaders, .reopenNeeded, .catalogFull, .readOnly, .closed,
                .cancelled:
                true
            default: false
            }
        }

        /// Whether a shard that meets this error has failed, until it is recovered.
        ///
        /// Trouble of the store or of the caller (a full disk, a quota, a scheme that is not registered)
        /// says nothing about the shard.
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
                .quotaExceeded, .shardFailed, .outOfResources, .tooManyReaders, .reopenNeeded:
                6
            case .closed, .cancelled, .deadlineExceeded: 7
            }
        }
    }

    /// The kind of error.
    public let code: Code
    /// The finding, as text.
    public let message: String
    /// The shard it is about, if it is about one.
    public var shard: ShardKey?
    /// Where in the bytes, if the bytes are wrong; see `CARError.offset`.
    public let offset: UInt64?
    /// The next step for the caller, where the error is more special than its code; nil elsewhere.
    package var advice: String?

    /// An error.
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

    /// The same error, about a shard.
    func about(_ key: ShardKey) -> DAGStoreError {
        var error = self
        error.shard = key
        return error
    }
}
