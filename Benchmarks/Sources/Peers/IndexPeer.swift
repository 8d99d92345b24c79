/// One block of a CAR, as every peer gets it: its sha2-256 digest and where its section is.
public struct PeerEntry: Sendable {
    /// The 32 bytes of the digest in memory order, whatever the byte order of the machine.
    public var digest: (UInt64, UInt64, UInt64, UInt64)

    /// Where the section starts in the CAR, in bytes: its length varint, as in go-car's indexes.
    public var offset: UInt64

    /// The size of the block in bytes, without its CID.
    public var size: UInt32

    /// Makes an entry of its parts.
    public init(digest: (UInt64, UInt64, UInt64, UInt64), offset: UInt64, size: UInt32) {
        self.digest = digest
        self.offset = offset
        self.size = size
    }
}

/// Another way to keep the store's entries, with the same durability and exactness.
///
/// Each peer has the tuning of an expert; its declaration says how, and why.
///
/// *Limits*: 2^32 - 1 entries a shard. A digest that a CAR has twice is found at one of its places.
///
/// *Concurrency*: one thread at a time, and not the same directory twice at once.
public protocol IndexPeer: AnyObject, SendableMetatype {
    /// The name in figures: "leveldb".
    static var system: String { get }

    /// Why the peer cannot run here, or nil if it can.
    static func unavailability() -> String?

    /// Opens the directory, or creates it with its files.
    init(at directory: String) throws(PeerError)

    /// Adds a shard's entries, given in CAR order, with their inverse; durable when it returns.
    ///
    /// *Limits*: a shard comes once. All sorting that the peer needs happens inside.
    func ingest(
        shard: UInt32,
        _ entries: UnsafeBufferPointer<PeerEntry>
    ) throws(PeerError)

    /// Where a shard has the block with these 32 bytes of digest, if it has it.
    func offset(of digest: UnsafeRawPointer, in shard: UInt32) throws(PeerError) -> UInt64?

    /// The shards that have the block with these 32 bytes of digest, in no order.
    func shards(of digest: UnsafeRawPointer) throws(PeerError) -> [UInt32]

    /// Finishes the peer's background work (compaction), so that lookups are compared with its best form.
    ///
    /// It is not part of `ingest`.
    func settle() throws(PeerError)

    /// Closes everything. No other call may follow; a second `close` does nothing.
    func close() throws(PeerError)

    /// Returns the size of a closed peer's files on disk in bytes: allocated blocks, not lengths.
    static func sizeOnDisk(of directory: String) -> UInt64
}

extension IndexPeer {
    /// Most peers put nothing off.
    public func settle() throws(PeerError) {}

    /// Counts every file under the directory, and the directories.
    public static func sizeOnDisk(of directory: String) -> UInt64 { allocatedSize(of: directory) }
}

/// The peers that a run compares with.
public enum Peers {
    /// All of them, whether they can run here or not.
    public static let all: [any IndexPeer.Type] = [
        LevelDBPeer.self, RocksDBPeer.self, LMDBPeer.self, FlatPeer.self,
    ]
}

/// The error of a peer.
public struct PeerError: Error, Hashable, CustomStringConvertible {
    /// The peer's name in figures.
    public let system: String

    /// The message of its library or of the operating system.
    public let text: String

    /// "lmdb: No space left on device".
    public var description: String { "\(system): \(text)" }
}
