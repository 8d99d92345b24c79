internal import DAGBytes
internal import DAGLMDB

/// The rows of the table `meta`.
enum MetaRow: String {
    case format
    case hashKey = "hash-key"
    case counters
    case inverse
    case merge

    var bytes: [UInt8] { Array(rawValue.utf8) }
}

extension ReadTransaction {
    /// Returns a copy of the value of `key`.
    borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        try key.withView { key throws(LMDBError) in try get(table, key)?.copied }
    }
}

extension WriteTransaction {
    /// Returns a copy of the value of `key`.
    borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        try key.withView { key throws(LMDBError) in try get(table, key)?.copied }
    }

    /// Writes a row.
    borrowing func put(
        _ table: Table,
        _ key: [UInt8],
        _ value: [UInt8],
        flags: PutFlags = []
    ) throws(LMDBError) {
        try key.withView { key throws(LMDBError) in
            try value.withView { value throws(LMDBError) in
                try put(table, key, value, flags: flags)
            }
        }
    }

    /// Deletes the first rows of a generation.
    ///
    /// - Returns: The number of deleted rows; less than `limit` if no rows are left.
    borrowing func deleteRows(
        _ table: Table,
        of generation: UInt64,
        limit: Int
    ) throws(LMDBError) -> Int {
        try TableKey.generation(generation).withView { lower throws(LMDBError) in
            guard let end = TableKey.end(of: generation) else {
                return try deleteRange(table, from: lower, below: nil, limit: limit)
            }
            return try end.withView { upper throws(LMDBError) in
                try deleteRange(table, from: lower, below: upper, limit: limit)
            }
        }
    }

    /// Deletes a row.
    @discardableResult
    borrowing func delete(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        try key.withView { key throws(LMDBError) in try delete(table, key) }
    }
}
