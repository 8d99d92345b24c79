internal import CDAGLMDB

extension Environment {
    /// The durability of a commit.
    package enum Durability: Sendable {
        /// A commit waits for the disk, so it survives a crash of the machine.
        case full
        /// A commit waits for nothing: a crash of the machine may lose or damage the whole environment.
        ///
        /// For benchmarks and for data that can be made again. A crash of the process alone loses nothing.
        case relaxed
    }

    /// How to open an environment.
    package struct Options: Sendable {
        /// The names of all tables to open.
        ///
        /// A writable environment creates those that are missing.
        package var tables: [String]
        /// The tables that may be missing from a read-only environment; they are empty there.
        package var newerTables: Set<String>
        /// Whether `open` checks every page before LMDB follows it.
        package var checksPages: Bool
        /// The largest size of the file in bytes; it takes address space, not disk.
        package var mapSize: Int
        /// Whether the environment refuses writes.
        ///
        /// A read-only environment may lie on a read-only file system.
        package var isReadOnly: Bool
        /// The durability of commits.
        package var durability: Durability
        /// The largest number of read transactions over all processes; the first process sets it.
        package var readersMax: Int
        /// Whether the kernel reads no pages ahead, because reads are random.
        package var isReadAheadOff: Bool

        /// Creates options; the defaults are those of a store.
        package init(
            tables: [String],
            newerTables: Set<String> = [],
            checksPages: Bool = false,
            mapSize: Int = 1 << 40,
            isReadOnly: Bool = false,
            durability: Durability = .full,
            readersMax: Int = 4096,
            isReadAheadOff: Bool = true
        ) {
            self.tables = tables
            self.newerTables = newerTables
            self.checksPages = checksPages
            self.mapSize = mapSize
            self.isReadOnly = isReadOnly
            self.durability = durability
            self.readersMax = readersMax
            self.isReadAheadOff = isReadAheadOff
        }

        /// LMDB's flags for these options.
        ///
        /// `MDB_NOTLS` is always set, because the pool moves read transactions between threads.
        var flags: UInt32 {
            var flags = MDB_NOTLS
            if isReadOnly { flags |= MDB_RDONLY }
            if isReadAheadOff { flags |= MDB_NORDAHEAD }
            if durability == .relaxed { flags |= MDB_NOSYNC }
            return UInt32(flags)
        }

        func checkInvariants() {
            precondition(mapSize > 0, "a map has no size")
            precondition(readersMax > 0, "an environment has no readers")
            precondition(readersMax <= 1 << 16, "an environment has too many readers")
            precondition(tables.count <= tablesMax, "an environment has too many tables")
            precondition(Set(tables).count == tables.count, "a table is named twice")
            precondition(
                newerTables.isSubset(of: tables),
                "a newer table is missing from the tables"
            )
            precondition(!tables.contains(""), "a table has no name")
        }
    }
}
