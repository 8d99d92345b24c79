internal import DAGCatalog
internal import DAGMounts
internal import SystemPackage

/// The open source of a shard.
struct ShardSource: Sendable {
    /// The kinds of bytes.
    enum Bytes: Sendable {
        case file(LocalFile)
        case memory(MemoryBytes)
        case remote(RemoteBytes)
    }

    let bytes: Bytes
    let facts: SourceFacts
    /// The pin of the transient; nil if the source is no transient.
    var pin: TransientPin?

    /// The source for readers of all bytes in order.
    var reader: any ByteSource {
        switch bytes {
        case .file(let file): file
        case .memory(let bytes): bytes
        case .remote(let bytes): bytes
        }
    }

    /// The path of a file whose state shows changes of the source; nil for transients and for other sources.
    var watchedPath: FilePath? {
        guard case .file(let file) = bytes, facts.identity != .content else { return nil }
        return file.path
    }
}

/// A source that a job has reached, and not copied.
struct ReachedSource: Sendable {
    /// The size in bytes; nil if it is unknown.
    let size: UInt64?
    /// The validator; nil or empty if there is none.
    let validator: String?
    /// The open source; nil if it cannot be read in place now.
    let source: ShardSource?
}

/// The properties that distinguish sources.
struct SourceFacts: Equatable, Sendable {
    var identity: ShardRecord.Identity
    var size: UInt64
    var modified: Int64 = 0
    var inode: UInt64 = 0
    var device: UInt64 = 0
    var validator = ""
    var checksum: UInt64 = 0

    /// Creates the properties of a file.
    init(_ identity: ShardRecord.Identity, _ file: FileIdentity) {
        self.identity = identity
        size = file.size
        modified = file.modified
        inode = file.inode
        device = file.device
    }

    /// Creates the properties of bytes without a file of their own.
    init(size: UInt64, validator: String?, checksum: UInt64 = 0) {
        identity = .content
        self.size = size
        self.validator = validator ?? ""
        self.checksum = checksum
    }

    /// Creates the properties from a record.
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

    /// Returns whether both identify the same source; unknown properties match any.
    func agrees(with other: SourceFacts) -> Bool {
        guard identity == other.identity else { return false }
        guard identity == .content else { return file.isUnchanged(since: other.file) }
        return size == other.size
            && (validator.isEmpty || other.validator.isEmpty || validator == other.validator)
            && (checksum == 0 || other.checksum == 0 || checksum == other.checksum)
    }

    /// Returns whether only a comparison of bytes can distinguish the two.
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
