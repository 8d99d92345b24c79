internal import CDAGLMDB

/// One of the tables that an environment opened.
///
/// A table belongs to its environment; transactions of other environments cannot use it.
package struct Table: Hashable, Sendable {
    /// LMDB's number of the table; constant while the environment is open.
    let number: MDB_dbi

    /// The tree of all tables.
    static let main = Table(number: 1)
    /// A table that an earlier format lacks: it is empty and read-only.
    static let absent = Table(number: .max)
}

/// The size and shape of one table, or of all of its parts.
package struct TableStatistics: Hashable, Sendable {
    /// The number of rows.
    package let entries: Int
    /// The height of the tree; 0 for an empty table.
    package let depth: Int
    /// The number of pages that hold keys only.
    package let branchPages: Int
    /// The number of pages that hold rows.
    package let leafPages: Int
    /// The number of pages that hold values too large for a leaf.
    package let overflowPages: Int
    /// The size of a page, in bytes.
    package let pageSize: Int

    /// The bytes that all the pages of the table take.
    package var size: Int { (branchPages + leafPages + overflowPages) * pageSize }

    /// The statistics of an empty table.
    static let empty = TableStatistics(MDB_stat())

    init(_ statistics: MDB_stat) {
        entries = statistics.ms_entries
        depth = Int(statistics.ms_depth)
        branchPages = statistics.ms_branch_pages
        leafPages = statistics.ms_leaf_pages
        overflowPages = statistics.ms_overflow_pages
        pageSize = Int(statistics.ms_psize)
    }
}

/// How much of its map and of the disk an environment uses.
package struct EnvironmentUsage: Hashable, Sendable {
    /// The size of the map in bytes: the largest size of the file.
    package let mapSize: Int
    /// The size of the data file, in bytes; it never shrinks.
    package let fileSize: Int
    /// The size of a page, in bytes.
    package let pageSize: Int
    /// The number of the last page that was ever used; pages 0 and 1 are LMDB's own.
    package let lastPage: Int
    /// The number of the last transaction that was committed.
    package let lastTransaction: Int
    /// The number of reader slots that were ever in use at once, over all processes.
    package let readersUsed: Int
    /// The number of reader slots there are.
    package let readersMax: Int

    /// The bytes up to the last page in use, with the free pages among them.
    package var bytesInUse: Int { (lastPage + 1) * pageSize }
}
