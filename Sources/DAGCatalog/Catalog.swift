internal import DAGBytes
package import DAGHashing
internal import DAGLMDB
internal import ShardIndex
internal import SharedReads
internal import Synchronization
package import SystemPackage

/// The one environment with all rows of a store; no other type knows its tables.
///
/// ```
/// meta      "format" u32          "hash-key" see `HashKeyRow`   "counters" see `Counters`
/// keys      shard key             -> u32 number
/// shards    u32 number            -> `ShardRecord`
/// roots     u64 generation        -> `IndexRoot`
/// pages     u64 generation, u32   -> index pages, one after another
/// locators  u64 generation, u32   -> `LocatorSegment`
/// pending   u64 generation        -> nothing: being written, or to be deleted
///           u32 number            -> `PendingWork`: the shard is to be indexed
/// runs      u64 generation        -> `InverseRunShape`; nothing: to be deleted
/// inverse   u64 generation, u32   -> `InverseSegment`
/// recent    u64 sequence          -> `RecentBatch`: entries that are in no run yet
/// ```
///
/// An index is written under a new generation, which is on `pending` and in no record. The transaction that publishes
/// a record names the generation there, and removes it from `pending`. At open, the store deletes the generations on
/// `pending`, and indexes the shards on it.
///
/// Format 1 had no shards on `pending`, and only records of version 1. Formats 1 and 2 had no inverse index. This
/// version reads both, and upgrades them to format 4 when an opening for writing has built the inverse index. Format
/// 3 had no checksums in `meta`, `recent` and records. The first opening for writing upgrades it to format 4, and a
/// record gets its checksum when its shard changes.
///
/// *Concurrency*: any number of threads read at once. Writes wait for each other.
package final class Catalog: Sendable {
    /// The version of the tables and their rows.
    package static let formatVersion: UInt32 = 4
    /// The first version with an inverse index.
    static let inverseFormat: UInt32 = 3
    package static let tableNames = [
        "meta", "keys", "shards", "roots", "pages", "locators", "pending", "runs", "inverse",
        "recent",
    ]

    /// The tables that formats 1 and 2 lack.
    static let newerTableNames: Set<String> = ["runs", "inverse", "recent"]

    /// How to open a catalog.
    package struct Options: Sendable {
        /// The size of the address space that is reserved, in bytes.
        package var mapSize: Int
        /// Whether to read only: the catalog takes no lock and writes nothing.
        package var isReadOnly: Bool
        /// Whether commits wait for nothing, so a crash of the machine may lose everything.
        package var isRelaxed: Bool
        /// Whether the opening checks every page before LMDB follows it.
        package var checksPages: Bool
        /// Receives the time of each write transaction, and whether it succeeded.
        package var onCommit: (@Sendable (Duration, Bool) -> Void)?

        package init(
            mapSize: Int = 1 << 40,
            isReadOnly: Bool = false,
            isRelaxed: Bool = false,
            checksPages: Bool = false,
            onCommit: (@Sendable (Duration, Bool) -> Void)? = nil
        ) {
            self.mapSize = mapSize
            self.isReadOnly = isReadOnly
            self.isRelaxed = isRelaxed
            self.checksPages = checksPages
            self.onCommit = onCommit
        }
    }

    let environment: Environment
    let tables: Tables
    /// The store's hash of digests.
    package let hash: KeyedHash
    package let isReadOnly: Bool
    /// The size of the environment's pages in bytes; a value of at least half a page does not move.
    package let pageSize: Int
    private let lock: StoreLock?
    private let onCommit: (@Sendable (Duration, Bool) -> Void)?
    /// Whether the catalog has an earlier format, without inverse index.
    package let lacksInverse: Bool
    /// The state that searches keep where another process may write.
    let seen = Lock(SeenInverse())
    /// The snapshot of the readers that outlive the lock.
    private let outliving = Lock<LastingSnapshot?>(nil)
    private let isOutlived = Atomic<Bool>(false)
    /// Whether a commit has failed and left the state of the disk unknown.
    private let hasFailed = Atomic<Bool>(false)

    struct Tables: Sendable {
        let meta, keys, shards, roots, pages, locators, pending, runs, inverse, recent: Table

        init(_ environment: Environment) {
            meta = environment.table("meta")
            keys = environment.table("keys")
            shards = environment.table("shards")
            roots = environment.table("roots")
            pages = environment.table("pages")
            locators = environment.table("locators")
            pending = environment.table("pending")
            runs = environment.table("runs")
            inverse = environment.table("inverse")
            recent = environment.table("recent")
        }
    }

    /// Opens the catalog in `directory`; unless read-only, creates it if there is none.
    ///
    /// - Parameters:
    ///   - directory: The directory of the environment; it must exist.
    ///   - lockFile: The file that is locked while the catalog is open, unless read-only.
    ///   - options: How to open it.
    ///   - randomKey: The key of the hash of a new catalog.
    /// - Throws: `.missing`, `.locked`, `.tooNew`, `.corrupt`, `.full`, `.readOnly`, `.io`.
    package init(
        at directory: FilePath,
        lockFile: FilePath,
        options: Options = Options(),
        randomKey: (UInt64, UInt64)
    ) throws(CatalogError) {
        lock = options.isReadOnly ? nil : try StoreLock(at: lockFile)
        onCommit = options.onCommit
        if !options.isReadOnly { Self.removeLeftover(in: directory) }
        let environment: Environment
        do {
            environment = try Environment.open(
                at: directory.string,
                options: Environment.Options(
                    tables: Self.tableNames,
                    newerTables: Self.newerTableNames,
                    checksPages: options.checksPages,
                    mapSize: options.mapSize,
                    isReadOnly: options.isReadOnly,
                    durability: options.isRelaxed ? .relaxed : .full
                )
            )
        } catch {
            let error = CatalogError(error)
            throw CatalogError(error.code, "\(directory): \(error.detail)")
        }
        self.environment = environment
        self.isReadOnly = options.isReadOnly
        let tables = Tables(environment)
        self.tables = tables
        do {
            pageSize = try environment.usage().pageSize
        } catch {
            throw CatalogError(error)
        }
        do throws(LMDBError) {
            // A catalog without this row is damaged: a new key would make every locator useless.
            let isNew = try environment.read { (reader) throws(LMDBError) in
                let rows = try reader.statistics(of: tables.meta).entries
                return rows == 0 ? try reader.statistics(of: tables.shards).entries == 0 : false
            }
            // Another process creates it at this moment, or was interrupted while creating it.
            if isNew, options.isReadOnly { throw LMDBError(.missing) }
            if isNew {
                // The disk has the names before the first rows, so a later opening need not wait for them again.
                if !options.isRelaxed { try Self.makeNamesDurable(directory) }
                try Self.initialize(environment, tables, randomKey)
            }
        } catch {
            throw CatalogError(error)
        }
        let format = try Self.readFormat(environment, tables)
        hash = format.hash
        lacksInverse = format.version < Self.inverseFormat
        guard !options.isReadOnly else { return }
        try checkLastTransaction()
        if !lacksInverse, format.version < Self.formatVersion { try upgrade() }
    }

    /// Waits until the disk has the names of a new catalog, of its folder and of the store.
    ///
    /// - Throws: `.io`, `.diskFull`.
    private static func makeNamesDurable(_ directory: FilePath) throws(LMDBError) {
        var folder = directory
        for _ in 0..<3 {
            try EnvironmentFiles.syncNames(in: folder.isEmpty ? "." : folder.string)
            guard !folder.isEmpty, folder != folder.removingLastComponent() else { return }
            folder.removeLastComponent()
        }
    }

    /// Refuses an environment whose readers' slots belong to an earlier data file.
    ///
    /// LMDB passes the number of the last transaction from process to process beside the slots. A reader that opened
    /// the catalog while a compacted copy replaced it may have kept the number of the old file. A writer with that
    /// number would write over the new file.
    private func checkLastTransaction() throws(CatalogError) {
        let seen = try read { (reader) throws(LMDBError) in reader.number }
        guard try lastTransaction == UInt64(seen) else {
            throw CatalogError(
                .locked,
                "a process still reads the catalog from before its compaction; close that process"
            )
        }
    }

    static var formatVersionBytes: [UInt8] {
        var version: [UInt8] = []
        version.append(littleEndian: formatVersion)
        return version
    }

    private static func initialize(
        _ environment: Environment,
        _ tables: Tables,
        _ randomKey: (UInt64, UInt64)
    ) throws(LMDBError) {
        let key = HashKeyRow.encoded(randomKey)
        try environment.write { (writer) throws(LMDBError) in
            try writer.put(tables.meta, MetaRow.format.bytes, formatVersionBytes)
            try writer.put(tables.meta, MetaRow.hashKey.bytes, key)
            try writer.put(tables.meta, MetaRow.counters.bytes, Counters().encoded())
        }
    }

    static func readFormat(
        _ environment: Environment,
        _ tables: Tables
    ) throws(CatalogError) -> (version: UInt32, hash: KeyedHash) {
        let rows: (version: [UInt8]?, key: [UInt8]?)
        do {
            rows = try environment.read { (reader) throws(LMDBError) in
                (
                    try reader.get(tables.meta, MetaRow.format.bytes),
                    try reader.get(tables.meta, MetaRow.hashKey.bytes)
                )
            }
        } catch {
            throw CatalogError(error)
        }
        guard let version = rows.version, version.count == 4 else {
            throw CatalogError(.corrupt, "the catalog has no format version")
        }
        let number = version.withView { $0.loadUInt32(at: 0) }
        guard number <= formatVersion else {
            throw CatalogError(
                .tooNew,
                "the catalog has format \(number), but this program reads formats up to \(formatVersion)"
            )
        }
        guard number > 0, let key = rows.key else {
            throw CatalogError(.corrupt, "the format row of the catalog is damaged")
        }
        return (number, KeyedHash(key: try HashKeyRow.key(key)))
    }

    /// Releases the lock while readers go on, so this process or another may open the catalog.
    ///
    /// Nothing may be written through this object afterwards. Its readers' snapshot stays in place until `close`.
    ///
    /// - Throws: `.tooManyReaders`, `.outOfResources`, `.io`; the lock stays held then.
    package func releaseLock() throws(CatalogError) {
        do throws(LMDBError) {
            let snapshot = try environment.share()
            outliving.withLock { $0 = snapshot }
            isOutlived.store(true, ordering: .releasing)
        } catch {
            throw CatalogError(error)
        }
        lock?.release()
    }

    /// Closes the environment and releases the lock; no thread may use the catalog meanwhile.
    package func close() {
        let snapshot = outliving.withLock { outliving in
            defer { outliving = nil }
            return outliving
        }
        snapshot?.end()
        environment.close()
        lock?.release()
    }

    /// Runs a write transaction.
    ///
    /// - Parameters:
    ///   - durability: `.ordered` if a crash of the machine may undo the transaction, because the next opening
    ///     resumes the work.
    ///   - body: Reads and writes.
    /// - Returns: The result of `body`.
    /// - Throws: `.readOnly` if the catalog is read-only or a commit failed before; the errors of the transaction.
    func write<R>(
        _ durability: CommitDurability = .full,
        _ body: (borrowing WriteTransaction) throws(LMDBError) -> R
    ) throws(CatalogError) -> R {
        guard !isReadOnly else { throw CatalogError(.readOnly, "the store was opened read-only") }
        guard !hasFailed.load(ordering: .relaxed) else {
            throw CatalogError(.readOnly, "a commit failed; the store is read-only until reopened")
        }
        let start = onCommit.map { _ in ContinuousClock.now }
        do {
            let result = try environment.write(durability, body)
            if let start { onCommit?(ContinuousClock.now - start, true) }
            return result
        } catch {
            if let start { onCommit?(ContinuousClock.now - start, false) }
            let error = CatalogError(error)
            // A full disk changes nothing. After any other failed write the state of the disk is unknown, and the
            // kernel reports a failed flush only once.
            if error.code == .io || error.code == .corrupt || error.code == .reopenNeeded {
                hasFailed.store(true, ordering: .relaxed)
            }
            throw error
        }
    }

    /// Runs a read transaction.
    func read<R>(
        _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
    ) throws(CatalogError) -> R {
        do {
            guard isOutlived.load(ordering: .acquiring) else { return try environment.read(body) }
            // The next owner must not have deleted rows of the last readers' snapshot.
            guard let snapshot = outliving.withLock(\.self) else {
                return try environment.read(body)
            }
            return try snapshot.read(body)
        } catch {
            throw CatalogError(error)
        }
    }
}
