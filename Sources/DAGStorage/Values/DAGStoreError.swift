/// Why a store could not do what was asked.
///
/// Two errors are equal when their codes are. The code of a shard's failure is persisted, so that it is
/// the same after a restart.
public struct DAGStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong; the raw value is the number in the C interface and on disk, never reused.
    ///
    /// Codes may be added in a minor release.
    public enum Code: Int32, Sendable, CaseIterable {
        /// No shard has this key.
        case shardUnknown = -1
        /// The block is not here.
        case blockNotFound = -2
        /// An argument that cannot be.
        case invalidArgument = -10
        /// A key that is empty, over 480 bytes, or has a NUL.
        case invalidKey = -11
        /// Text or bytes that are no CID.
        case invalidCID = -12
        /// A configuration that cannot be.
        case invalidConfiguration = -13
        /// A mount URL whose scheme nobody registered.
        case unknownScheme = -14
        /// A hash function that cannot be computed here.
        case unsupportedHash = -15
        /// The key is taken.
        case shardExists = -16
        /// The shard has leases.
        case shardInUse = -17
        /// The shard has not failed, so that there is nothing to recover.
        case notFailed = -18
        /// The source is there and cannot be read.
        case mountUnreachable = -20
        /// The source is not there.
        case mountGone = -21
        /// The source could not be copied.
        case fetchFailed = -22
        /// The source took too long.
        case fetchTimedOut = -23
        /// The source is not what was indexed.
        case sourceChanged = -24
        /// The bytes are no CAR.
        case malformedCAR = -30
        /// The CAR ends early.
        case truncated = -31
        /// A CAR version other than 1 and 2.
        case unsupportedVersion = -32
        /// Larger than a limit.
        case limitExceeded = -33
        /// A block's bytes do not have its CID's hash.
        case hashMismatch = -34
        /// An index that cannot be, or that contradicts its CAR.
        case malformedIndex = -35
        /// The store's own data are damaged.
        case catalogCorrupt = -40
        /// The disk or the map is full; nothing was changed.
        case catalogFull = -41
        /// Another process has the store open.
        case catalogLocked = -42
        /// A newer version wrote the store.
        case catalogTooNew = -43
        /// The store cannot be written.
        case readOnly = -44
        /// The quota for local copies is used up.
        case quotaExceeded = -45
        /// The shard failed before and was not recovered.
        case shardFailed = -46
        /// The process has no descriptors, memory or threads left for it; no shard has failed.
        case outOfResources = -47
        /// Other readers hold all slots of the catalogue.
        case tooManyReaders = -48
        /// A write of the catalogue failed, or it has outgrown what this process reserved: close the store and open it again.
        case reopenNeeded = -49
        /// The store was closed.
        case closed = -50
        /// The caller went away.
        case cancelled = -51
        /// The caller's deadline passed.
        case deadlineExceeded = -52

        /// Whether the source may be back by itself: a shard that has an index stays indexed.
        var isAway: Bool {
            switch self {
            case .mountUnreachable, .mountGone, .fetchFailed, .fetchTimedOut: true
            default: false
            }
        }

        /// Whether it is the store's or the process's own trouble, or the end of a call: it says nothing about any shard.
        var isOwn: Bool {
            switch self {
            case .outOfResources, .tooManyReaders, .reopenNeeded, .catalogFull, .readOnly, .closed,
                .cancelled:
                true
            default: false
            }
        }

        /// The name, as in JSON.
        public var name: String { String(describing: self) }

        /// Whether a shard that meets this error has failed, until it is recovered.
        ///
        /// What is the store's or the caller's own (a full disk, a quota, a scheme that nobody registered)
        /// says nothing about the shard.
        var failsShard: Bool {
            switch exitStatus {
            case 4, 5: true
            default: self == .catalogCorrupt
            }
        }

        /// The exit status of a program that ends with this error.
        public var exitStatus: Int32 {
            switch self {
            case .shardUnknown, .blockNotFound: 3
            case .invalidArgument, .invalidKey, .invalidCID, .invalidConfiguration, .unknownScheme,
                .unsupportedHash, .shardExists, .shardInUse, .notFailed:
                2
            case .mountUnreachable, .mountGone, .fetchFailed, .fetchTimedOut, .sourceChanged: 4
            case .malformedCAR, .truncated, .unsupportedVersion, .limitExceeded, .hashMismatch,
                .malformedIndex:
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
    /// What was found, for people.
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
