internal import CDAGLMDB

extension Environment {
    /// What a commit waits for.
    package enum Durability: Sendable {
        /// The disk: a commit that returned survives a crash of the machine.
        case full
        /// Nothing: a crash of the machine may lose or damage the whole environment.
        ///
        /// For benchmarks and for what can be made again. A crash of the process alone loses nothing.
        case relaxed
    }

    /// How to open an environment.
    package struct Options: Sendable {
        /// The tables to open, all of them at once; created if missing and the environment is writable.
        package var tables: [String]
        /// Those of `tables` that may be missing from an environment that is opened read-only: they are empty then.
        package var newerTables: Set<String>
        /// Whether every page is looked at before LMDB follows it.
        package var checksPages: Bool
        /// What the file may grow to, in bytes; address space, not disk.
        package var mapSize: Int
        /// Whether to refuse writes; also opens what this user or this file system cannot write.
        package var isReadOnly: Bool
        /// What a commit waits for.
        package var durability: Durability
        /// How many read transactions there can be, over all processes; the first opener decides.
        package var readersMax: Int
        /// Whether to tell the kernel that reads are random, so that it fetches no pages ahead.
        package var isReadAheadOff: Bool

        /// Makes options; what is left out is right for a store.
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
        /// `MDB_NOTLS` always: the pool moves read transactions between threads.
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
            precondition(newerTables.isSubset(of: tables), "a newer table is none of all tables")
            precondition(!tables.contains(""), "a table has no name")
        }
    }
}
