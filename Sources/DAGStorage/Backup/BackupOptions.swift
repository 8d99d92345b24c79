/// The bounds of a backup or a restore.
public struct BackupOptions: Sendable {
    /// The lowest rate, in bytes a second.
    public static let rateMin: UInt64 = 1 << 20

    /// The largest number of bytes to read in a second, at least `rateMin`; nil for no bound.
    ///
    /// The default leaves most of a disk, and of a processor, to the readers of the store.
    public var bytesPerSecond: UInt64? = 100 << 20
    /// The number of bytes that the file systems of the copy and of the store must keep free.
    public var freeBytesMin: UInt64 = 256 << 20

    /// Creates options with the defaults.
    public init() {}

    func check() throws(DAGStoreError) {
        guard bytesPerSecond ?? .max >= Self.rateMin else {
            throw DAGStoreError(
                .invalidArgument,
                "the rate of a copy is \(bytesPerSecond ?? 0) bytes a second; the minimum is 1 MiB"
            )
        }
    }
}

/// A backup that was taken.
public struct BackupReport: Sendable, Equatable {
    /// The number of shards in the backup.
    public let shards: UInt64
    /// The size of the backup's catalog in bytes.
    public let bytes: UInt64
    /// The growth of the store's catalog while the backup ran, in bytes.
    ///
    /// Writers reuse no page that the backup reads. The catalog keeps its size afterwards, and uses the pages later.
    public let growthBytes: UInt64
    /// The checksum of the backup's catalog, which the backup also contains.
    public let checksum: UInt64
}

/// A backup that was restored.
public struct RestoreReport: Sendable, Equatable {
    /// The number of shards in the store.
    public let shards: UInt64
    /// The size of the store's catalog in bytes.
    public let bytes: UInt64
    /// The time of the backup, in milliseconds since 1970.
    public let taken: UInt64
    /// The checksum of the catalog.
    public let checksum: UInt64
}
