internal import DAGBytes
package import DAGHashing
internal import DAGLMDB
internal import ShardIndex
internal import SharedReads
internal import Synchronization
package import SystemPackage

/// The one environment in which everything a store knows is kept, and the only room that knows its
/// tables.
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
/// An index is written under a generation number that no record names. The transaction that
/// publishes a record names it, and takes it off `pending`; whatever generation is on `pending` at
/// open is deleted, and whatever shard is there is indexed.
///
/// Format 1 had no shards on `pending` and records of version 1 only; formats 1 and 2 had no inverse
/// index. What they have is read as it is. They become format 4 when an opening for writing has built the
/// inverse index. Format 3 had no checksums in `meta`, `recent` and records; the first opening for writing makes it
/// format 4, and records get theirs when their shards change.
///
/// *Concurrency*: reads on any thread, at once. Writes wait for each other.
package final class Catalog: Sendable {
    /// The version of the tables and of what is in them.
    package static let formatVersion: UInt32 = 4
    /// The first version with an inverse index.
    static let inverseFormat: UInt32 = 3
    package static let tableNames = [
        "meta", "keys", "shards", "roots", "pages", "locators", "pending", "runs", "inverse",
        "recent",
    ]

    /// The tables that format 1 or 2 did not have.
    static let newerTableNames: Set<String> = ["runs", "inverse", "recent"]

    /// How a catalogue is opened.
    package struct Options: Sendable {
        /// The size of the address space that is reserved, in bytes.
        package var mapSize: Int
        /// Whether to look only: no lock is taken, nothing is written or deleted.
        package var isReadOnly: Bool
        /// Whether a commit waits for nothing, so that a crash of the machine may lose everything.
        package var isRelaxed: Bool
        /// Whether every page is looked at before LMDB follows it.
        package var checksPages: Bool

        package init(
            mapSize: Int = 1 << 40,
            isReadOnly: Bool = false,
            isRelaxed: Bool = false,
            checksPages: Bool = false
        ) {
            self.mapSize = mapSize
            self.isReadOnly = isReadOnly
            self.isRelaxed = isRelaxed
            self.checksPages = checksPages
        }
    }

    let environment: Environment
    let tables: Tables
    /// The store's hash of digests.
    package let hash: KeyedHash
    package let isReadOnly: Bool
    /// The size of the environment's pages in bytes; a value of half a page or more does not move.
    package let pageSize: Int
    private let lock: StoreLock?
    /// Whether an earlier format was found, which has no inverse index.
    package let lacksInverse: Bool
    /// What searches keep if another process may write.
    let seen = Lock(SeenInverse())
    /// What the last readers see after the lock was given back.
    private let outliving = Lock<LastingSnapshot?>(nil)
    private let isOutlived = Atomic<Bool>(false)
    /// Set once by a commit that failed in a way that leaves the disk in doubt.
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

    /// Opens the catalogue in `directory`; unless read-only, makes it if there is none.
    ///
    /// - Parameters:
    ///   - directory: Where the environment's files are; it exists.
    ///   - lockFile: Locked for as long as the catalogue is open, unless read-only.
    ///   - options: How to open it.
    ///   - randomKey: The key of the hash, used if the catalogue is made.
    /// - Throws: `.missing`, `.locked`, `.tooNew`, `.corrupt`, `.full`, `.readOnly`, `.io`.
    package init(
        at directory: FilePath,
        lockFile: FilePath,
        options: Options = Options(),
        randomKey: (UInt64, UInt64)
    ) throws(CatalogError) {
        lock = options.isReadOnly ? nil : try StoreLock(at: lockFile)
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
            // A catalogue that lost a row is damaged: a new key would make every locator useless.
            let isNew = try environment.read { (reader) throws(LMDBError) in
                let rows = try reader.statistics(of: tables.meta).entries
                return rows == 0 ? try reader.statistics(of: tables.shards).entries == 0 : false
            }
            // Somebody is making it at this moment, or was stopped while doing so.
            if isNew, options.isReadOnly { throw LMDBError(.missing) }
            if isNew {
                // The disk has the names before the first rows, so that a later opening need not ask it again.
                if !options.isRelaxed { try Self.makeNamesDurable(directory) }
                try Self.initialise(environment, tables, randomKey)
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

    /// Waits until the disk has the names of a new catalogue, of its folder and of the store.
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
    /// LMDB hands the number of the last transaction from process to process beside the slots. A
    /// reader that opened the catalogue in the moment when a compacted copy took its place may have
    /// kept the number of the old file, and a writer that believed it would write over the new one.
    private func checkLastTransaction() throws(CatalogError) {
        let seen = try read { (reader) throws(LMDBError) in reader.number }
        guard try lastTransaction == UInt64(seen) else {
            throw CatalogError(.locked, "a reader of the catalogue before it was compacted is left")
        }
    }

    static var formatVersionBytes: [UInt8] {
        var version: [UInt8] = []
        version.append(littleEndian: formatVersion)
        return version
    }

    private static func initialise(
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
            throw CatalogError(.corrupt, "the catalogue has no format version")
        }
        let number = version.withView { $0.loadUInt32(at: 0) }
        guard number <= formatVersion else {
            throw CatalogError(
                .tooNew,
                "the catalogue has format \(number); this program knows \(formatVersion)"
            )
        }
        guard number > 0, let key = rows.key else {
            throw CatalogError(.corrupt, "the catalogue's format row")
        }
        return (number, KeyedHash(key: try HashKeyRow.key(key)))
    }

    /// Gives the lock back while readers go on: this process or another may open the catalogue.
    ///
    /// Nothing may be written through this one any more. What its readers see stays where it is until `close`.
    ///
    /// - Throws: `.tooManyReaders`, `.outOfResources`, `.io`: the lock stays then.
    package func giveLockBack() throws(CatalogError) {
        do throws(LMDBError) {
            let snapshot = try environment.share()
            outliving.withLock { $0 = snapshot }
            isOutlived.store(true, ordering: .releasing)
        } catch {
            throw CatalogError(error)
        }
        lock?.release()
    }

    /// Closes the environment and gives the lock back; nobody may be using it.
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
    ///   - durability: `.ordered` if a crash of the machine may undo it, because the next opening takes up what is left.
    ///   - body: Reads and writes.
    /// - Returns: What `body` returns.
    /// - Throws: `.readOnly` if it may not write or a commit failed before; what the transaction
    ///   throws.
    func write<R>(
        _ durability: CommitDurability = .full,
        _ body: (borrowing WriteTransaction) throws(LMDBError) -> R
    ) throws(CatalogError) -> R {
        guard !isReadOnly else { throw CatalogError(.readOnly, "opened read-only") }
        guard !hasFailed.load(ordering: .relaxed) else {
            throw CatalogError(.readOnly, "a commit failed; the store is read-only until reopened")
        }
        do {
            return try environment.write(durability, body)
        } catch {
            let error = CatalogError(error)
            // A full disk leaves everything as it was. After any other failed write, what the disk
            // holds is not known, and the kernel reports a failed flush once only.
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
            // What the last readers see must not have been deleted by the next owner.
            guard let snapshot = outliving.withLock(\.self) else {
                return try environment.read(body)
            }
            return try snapshot.read(body)
        } catch {
            throw CatalogError(error)
        }
    }
}
