/// The persisted row of a shard.
///
/// ```
///  0  u8  version            3; 4 if the policy is not 0
///  1  u8  state              see `State`
///  2  u8  flags              bit 0 registered lazily, bit 1 index incomplete, bits 2 and 3 codec of
///                            origin (0 none, 1 0x0400, 2 0x0401), bit 4 origin had identity CIDs
///  3  u8  identity           what bytes 56 to 87 describe: see `Identity`
///  4  i32 error              the code of the last failure, 0 if there was none
///  8  u64 generation         of the index; 0 if there is none
/// 16  u64 registered         milliseconds since 1970
/// 24  u64 state since        milliseconds since 1970
/// 32  u64 sections
/// 40  u64 payload size       bytes
/// 48  u64 index size         bytes of pages and locator
/// 56  u64 file size          what the source was when it was indexed
/// 64  i64 file modified      nanoseconds since 1970
/// 72  u64 file inode
/// 80  u64 file device
/// 88  u16 key size
/// 90  u8  policy             see `Policy`; 0 in versions before 4
/// 91  u8  zero
/// 92  u32 URL size
/// 96  u32 error text size
/// 100 u16 validator size
/// 102 u16 transient path size
/// 104 u64 content checksum   0 if it is not known
/// 112 u64 section size max   the largest section it was registered with, 0 for the usual
/// 120 u64 header size max    the largest header it was registered with, 0 for the usual
/// 128 key, mount URL, error text, validator     UTF-8
///  …  path of the borrowed transient            bytes, as the system has them
///  …  u64 checksum                              xxh64 of everything before it
/// ```
///
/// Version 2 ends its header at byte 112 and has no checksum. Version 1 ends its header at byte 100, has a zero at
/// byte 3, and ends after the error text. The store reads all versions. When a shard changes, it writes version 4 if
/// the shard has a policy, else version 3, which earlier programs read too.
package struct ShardRecord: Equatable, Sendable {
    /// The persisted state of a shard.
    package enum State: UInt8, Sendable, CaseIterable {
        /// Registered, without an index.
        case registered = 0
        /// Indexed and readable.
        case available = 2
        /// Unreadable until recovered.
        case failed = 4
    }

    /// The object that the file fields of a record describe.
    package enum Identity: UInt8, Sendable, CaseIterable {
        /// The mount's own file: size, modification time, inode and device.
        case file = 0
        /// The file of a borrowed transient: the same fields.
        case borrowedFile = 1
        /// The bytes of a stream or a remote source: size, validator and checksum.
        case content = 2
    }

    /// What stays on this machine of the shard's bytes; `DAGMounts.MountPolicy` explains the cases.
    package enum Policy: UInt8, Sendable, CaseIterable {
        /// The mount decides.
        case automatic = 0
        /// Nothing stays on the disk.
        case remote = 1
        /// The mount's cache keeps ranges.
        case cache = 2
        /// A transient is a copy of the CAR.
        case copy = 3
    }

    /// The index file of a migrated shard, so that an export can write it again.
    package struct Origin: Equatable, Sendable {
        /// 0x0400 or 0x0401.
        package var codec: UInt64
        /// Whether it had identity CIDs.
        package var hasIdentity: Bool

        /// Creates an origin.
        package init(codec: UInt64, hasIdentity: Bool) {
            precondition(codec == 0x0400 || codec == 0x0401)
            self.codec = codec
            self.hasIdentity = hasIdentity
        }
    }

    /// The current version; earlier versions are read too.
    package static let version: UInt8 = 4
    static let headerSize = 128
    static let checksumSize = 8
    /// The largest size of a key in bytes; LMDB's keys have at most 511.
    package static let keySizeMax = 480
    /// The largest size of a mount URL in bytes.
    package static let urlSizeMax = 64 << 10
    /// The largest size of an error text in bytes.
    package static let errorTextSizeMax = 4 << 10
    /// The largest size of a validator in bytes; servers send a few dozen.
    package static let validatorSizeMax = 1 << 10
    /// The largest size of a borrowed transient's path in bytes; the system has the same limit.
    package static let transientPathSizeMax = 4 << 10

    /// The shard's number, which is never used again.
    package var number: UInt32
    package var key: String
    package var mountURL: String
    package var state: State
    package var isLazy = false
    /// Whether the index came from a file, and lacks sizes and codecs until the CAR is read.
    package var isIncomplete = false
    /// The shard's index file.
    ///
    /// Nil for a shard that was registered here, and for an incomplete one whose offsets may count from elsewhere
    /// than the payload.
    package var origin: Origin?
    /// The code of the last failure, 0 if there was none.
    package var errorCode: Int32 = 0
    package var errorText = ""
    /// The generation of the index, 0 if there is none.
    package var generation: UInt64 = 0
    /// The time of registration, in milliseconds since 1970.
    package var registered: UInt64 = 0
    /// The time of the last change of state, in milliseconds since 1970.
    package var stateSince: UInt64 = 0
    package var sectionCount: UInt64 = 0
    package var payloadSize: UInt64 = 0
    /// The bytes of pages and locator.
    package var indexSize: UInt64 = 0
    package var fileSize: UInt64 = 0
    package var fileModified: Int64 = 0
    package var fileInode: UInt64 = 0
    package var fileDevice: UInt64 = 0
    /// The object that the file fields describe.
    package var identity = Identity.file
    /// The source's validator of these bytes; empty if there is none.
    package var validator = ""
    /// The path of the borrowed transient, as bytes; empty if there is none.
    package var transientPath: [UInt8] = []
    /// The checksum of all bytes; 0 if it is unknown.
    package var contentChecksum: UInt64 = 0
    /// The largest section that the CAR may have, in bytes; 0 for the default.
    package var sectionSizeMax: UInt64 = 0
    /// The largest header that the CAR may have, in bytes; 0 for the default.
    package var headerSizeMax: UInt64 = 0
    /// What stays on this machine of the bytes.
    package var policy = Policy.automatic

    package init(number: UInt32, key: String, mountURL: String, state: State) {
        self.number = number
        self.key = key
        self.mountURL = mountURL
        self.state = state
    }
}
