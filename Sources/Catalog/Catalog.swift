internal import Bytes
package import Hashing
internal import LMDB
internal import ShardIndex
internal import Synchronization
package import SystemPackage

/// The one environment in which everything a store knows is kept, and the only room that knows its tables.
///
/// ```
/// meta      "format" u32          "hash-key" 16 bytes       "counters" see `Counters`
/// keys      shard key             -> u32 number
/// shards    u32 number            -> `ShardRecord`
/// roots     u64 generation        -> `IndexRoot`
/// pages     u64 generation, u32   -> index pages, one after another
/// locators  u64 generation, u32   -> `LocatorSegment`
/// pending   u64 generation        -> nothing: being written, or to be deleted
/// ```
///
/// An index is written under a generation number that no record names. The transaction that publishes a
/// record names it, and takes it off `pending`; whatever is on `pending` at open is deleted.
///
/// *Concurrency*: reads on any thread, at once. Writes wait for each other.
package final class Catalog: Sendable {
    /// The version of the tables and of what is in them.
    package static let formatVersion: UInt32 = 1
    static let tableNames = ["meta", "keys", "shards", "roots", "pages", "locators", "pending"]

    /// How a catalogue is opened.
    package struct Options: Sendable {
        /// The size of the address space that is reserved, in bytes.
        package var mapSize: Int
        /// Whether to look only: no lock is taken, nothing is written or deleted.
        package var isReadOnly: Bool
        /// Whether a commit waits for nothing, so that a crash of the machine may lose everything.
        package var isRelaxed: Bool

        package init(
            mapSize: Int = 1 << 40,
            isReadOnly: Bool = false,
            isRelaxed: Bool = false
        ) {
            self.mapSize = mapSize
            self.isReadOnly = isReadOnly
            self.isRelaxed = isRelaxed
        }
    }

    let environment: Environment
    let tables: Tables
    /// The store's hash of digests.
    package let hash: KeyedHash
    package let isReadOnly: Bool
    private let lock: StoreLock?
    /// Set once by a commit that failed in a way that leaves the disk in doubt.
    private let hasFailed = Atomic<Bool>(false)

    struct Tables: Sendable {
        let meta, keys, shards, roots, pages, locators, pending: Table

        init(_ environment: Environment) {
            meta = environment.table("meta")
            keys = environment.table("keys")
            shards = environment.table("shards")
            roots = environment.table("roots")
            pages = environment.table("pages")
            locators = environment.table("locators")
            pending = environment.table("pending")
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
        let environment: Environment
        do {
            environment = try Environment.open(
                at: directory.string,
                options: Environment.Options(
                    tables: Self.tableNames,
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
        do throws(LMDBError) {
            // A catalogue that lost a row is damaged: a new key would make every locator useless.
            let isNew = try environment.read { (reader) throws(LMDBError) in
                let rows = try reader.statistics(of: tables.meta).entries
                return rows == 0 ? try reader.statistics(of: tables.shards).entries == 0 : false
            }
            // Somebody is making it at this moment, or was stopped while doing so.
            if isNew, options.isReadOnly { throw LMDBError(.missing) }
            if isNew {
                try Self.initialise(environment, tables, randomKey)
            }
        } catch {
            throw CatalogError(error)
        }
        self.hash = try Self.readFormat(environment, tables)
    }

    private static func initialise(
        _ environment: Environment,
        _ tables: Tables,
        _ randomKey: (UInt64, UInt64)
    ) throws(LMDBError) {
        var key: [UInt8] = []
        key.appendLittleEndian(randomKey.0)
        key.appendLittleEndian(randomKey.1)
        var version: [UInt8] = []
        version.appendLittleEndian(formatVersion)
        try environment.write { (writer) throws(LMDBError) in
            try writer.put(tables.meta, MetaRow.format.bytes, version)
            try writer.put(tables.meta, MetaRow.hashKey.bytes, key)
            try writer.put(tables.meta, MetaRow.counters.bytes, Counters().encoded())
        }
    }

    private static func readFormat(
        _ environment: Environment,
        _ tables: Tables
    ) throws(CatalogError) -> KeyedHash {
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
        guard number > 0, let key = rows.key, key.count == 16 else {
            throw CatalogError(.corrupt, "the catalogue's format row")
        }
        return key.withView { KeyedHash(key: ($0.loadUInt64(at: 0), $0.loadUInt64(at: 8))) }
    }

    /// Closes the environment and gives the lock back; nobody may be using it.
    package func close() {
        environment.close()
        lock?.release()
    }

    /// Runs a write transaction.
    ///
    /// - Throws: `.readOnly` if it may not write or a commit failed before; what the transaction throws.
    func write<R>(
        _ body: (borrowing WriteTransaction) throws(LMDBError) -> R
    ) throws(CatalogError) -> R {
        guard !isReadOnly else { throw CatalogError(.readOnly, "opened read-only") }
        guard !hasFailed.load(ordering: .relaxed) else {
            throw CatalogError(.readOnly, "a commit failed; the store is read-only until reopened")
        }
        do {
            return try environment.write(body)
        } catch {
            let error = CatalogError(error)
            // A full disk leaves everything as it was. After any other failed write, what the disk
            // holds is not known, and the kernel reports a failed flush once only.
            if error.code == .io || error.code == .corrupt {
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
            return try environment.read(body)
        } catch {
            throw CatalogError(error)
        }
    }

    /// Space in use and space reserved.
    package func usage() throws(CatalogError) -> CatalogUsage {
        do {
            let usage = try environment.usage()
            return CatalogUsage(
                fileSize: UInt64(usage.fileSize),
                bytesInUse: UInt64(usage.bytesInUse),
                mapSize: UInt64(usage.mapSize),
                pageSize: usage.pageSize
            )
        } catch {
            throw CatalogError(error)
        }
    }
}

/// The room that a catalogue takes, in bytes.
package struct CatalogUsage: Sendable {
    /// The size of the data file.
    package let fileSize: UInt64
    /// What of it was ever used.
    package let bytesInUse: UInt64
    /// The address space it may grow into.
    package let mapSize: UInt64
    /// The size of a database page.
    package let pageSize: Int
}

/// The rows of the table `meta`.
enum MetaRow: String {
    case format
    case hashKey = "hash-key"
    case counters

    var bytes: [UInt8] { Array(rawValue.utf8) }
}

extension ReadTransaction {
    /// The value of `key`, copied.
    borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        try key.withView { key throws(LMDBError) in try get(table, key)?.copied }
    }
}

extension WriteTransaction {
    /// The value of `key`, copied.
    borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        try key.withView { key throws(LMDBError) in try get(table, key)?.copied }
    }

    /// Writes a row.
    borrowing func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws(LMDBError) {
        try key.withView { key throws(LMDBError) in
            try value.withView { value throws(LMDBError) in try put(table, key, value) }
        }
    }

    /// Deletes a row.
    @discardableResult
    borrowing func delete(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        try key.withView { key throws(LMDBError) in try delete(table, key) }
    }
}
