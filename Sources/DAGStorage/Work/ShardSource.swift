internal import DAGCatalog
internal import DAGMounts
internal import SystemPackage

/// The bytes of a shard, within reach.
struct ShardSource: Sendable {
    /// How they are read.
    enum Bytes: Sendable {
        case file(LocalFile)
        case memory(MemoryBytes)
        case remote(RemoteBytes)
    }

    let bytes: Bytes
    let facts: SourceFacts
    /// Keeps the transient from being evicted, if it is one.
    var pin: TransientPin?

    /// The source for readers of all bytes in order.
    var reader: any ByteSource {
        switch bytes {
        case .file(let file): file
        case .memory(let bytes): bytes
        case .remote(let bytes): bytes
        }
    }

    /// The file whose state tells whether it is still what was indexed; nil if there is none, or if it is
    /// the store's own.
    var watchedPath: FilePath? {
        guard case .file(let file) = bytes, facts.identity != .content else { return nil }
        return file.path
    }
}

/// The properties that tell one source from another.
struct SourceFacts: Equatable, Sendable {
    var identity: ShardRecord.Identity
    var size: UInt64
    var modified: Int64 = 0
    var inode: UInt64 = 0
    var device: UInt64 = 0
    var validator = ""
    var checksum: UInt64 = 0

    /// The properties of a file.
    init(_ identity: ShardRecord.Identity, _ file: FileIdentity) {
        self.identity = identity
        size = file.size
        modified = file.modified
        inode = file.inode
        device = file.device
    }

    /// The properties of bytes without a file of their own.
    init(size: UInt64, validator: String?, checksum: UInt64 = 0) {
        identity = .content
        self.size = size
        self.validator = validator ?? ""
        self.checksum = checksum
    }

    /// The properties in a record.
    init(_ record: ShardRecord) {
        identity = record.identity
        size = record.fileSize
        modified = record.fileModified
        inode = record.fileInode
        device = record.fileDevice
        validator = record.validator
        checksum = record.contentChecksum
    }

    /// The identity of the file.
    var file: FileIdentity {
        FileIdentity(size: size, modified: modified, inode: inode, device: device)
    }

    /// Whether both identify the same source; unknown properties match anything.
    func agrees(with other: SourceFacts) -> Bool {
        guard identity == other.identity else { return false }
        guard identity == .content else { return file.isUnchanged(since: other.file) }
        return size == other.size
            && (validator.isEmpty || other.validator.isEmpty || validator == other.validator)
            && (checksum == 0 || other.checksum == 0 || checksum == other.checksum)
    }

    /// Whether only a comparison of bytes can tell the two apart.
    func resembles(_ other: SourceFacts) -> Bool {
        identity == other.identity && identity != .content && size == other.size
    }

    /// Writes the facts into a record.
    func apply(to record: inout ShardRecord) {
        record.identity = identity
        record.fileSize = size
        record.fileModified = modified
        record.fileInode = inode
        record.fileDevice = device
        record.validator = validator
        record.contentChecksum = checksum
    }
}
