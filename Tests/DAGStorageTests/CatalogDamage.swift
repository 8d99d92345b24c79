import DAGBytes
import DAGCatalog
import DAGLMDB
import Testing

/// Harm done to a catalogue that nobody has open.
enum CatalogDamage {
    /// Flips a bit of the first value of a table.
    static func flip(_ place: Int, in name: String, of store: String) throws {
        let environment = try Environment.open(
            at: store + "/catalog",
            options: Environment.Options(tables: Catalog.tableNames, mapSize: 1 << 30)
        )
        defer { environment.close() }
        let table = environment.table(name)
        let found = try environment.read { (reader) throws(LMDBError) in
            try reader.withCursor(table) { cursor throws(LMDBError) in
                try cursor.first().map { (key: $0.key.copied, value: $0.value.copied) }
            }
        }
        var (key, value) = try #require(found)
        value[place] ^= 1
        try environment.write { (writer) throws(LMDBError) in
            try key.withView { key throws(LMDBError) in
                try value.withView { value throws(LMDBError) in try writer.put(table, key, value) }
            }
        }
    }
}
