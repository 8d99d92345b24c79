import DAGBytes
import DAGCatalog
import DAGHashing
import DAGLMDB
import Foundation
import ShardIndex
import SystemPackage
import TestSupport

/// A catalog in a folder of a test's own.
struct CatalogFolder {
    /// The tables, as the catalog's documentation lists them.
    static let tables = [
        "meta", "keys", "shards", "roots", "pages", "locators", "pending", "runs", "inverse",
        "recent",
    ]

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The path of the folder.
    var path: String { folder.url.path }

    /// Opens the catalog.
    func open(
        mapSize: Int = 1 << 30,
        isReadOnly: Bool = false,
        randomKey: (UInt64, UInt64) = (1, 2)
    ) throws(CatalogError) -> Catalog {
        try Catalog(
            at: FilePath(path),
            lockFile: FilePath(folder.path(of: "LOCK")),
            options: Catalog.Options(mapSize: mapSize, isReadOnly: isReadOnly, isRelaxed: true),
            randomKey: randomKey
        )
    }

    /// Rewrites the catalog without its free pages.
    func compact(mapSize: Int = 1 << 30) throws(CatalogError) -> (before: UInt64, after: UInt64) {
        try Catalog.compact(
            at: FilePath(path),
            lockFile: FilePath(folder.path(of: "LOCK")),
            mapSize: mapSize
        )
    }

    /// Opens the environment below a catalog that is closed.
    func withEnvironment<R>(_ body: (Environment) throws -> R) throws -> R {
        let environment = try Environment.open(
            at: path,
            options: Environment.Options(tables: Self.tables, mapSize: 1 << 30)
        )
        defer { environment.close() }
        return try body(environment)
    }

    /// Writes a row that no catalog would write.
    func putRow(_ key: [UInt8], _ value: [UInt8], in table: String) throws {
        try withEnvironment { environment in
            let table = environment.table(table)
            try environment.write { (writer) throws(LMDBError) in
                try key.withView { key throws(LMDBError) in
                    try value.withView { value throws(LMDBError) in
                        try writer.put(table, key, value)
                    }
                }
            }
        }
    }

    /// Deletes a row.
    func deleteRow(_ key: [UInt8], in table: String) throws {
        try withEnvironment { environment in
            let table = environment.table(table)
            _ = try environment.write { (writer) throws(LMDBError) in
                try key.withView { key throws(LMDBError) in try writer.delete(table, key) }
            }
        }
    }

    /// The value of a row.
    func row(_ key: [UInt8], in table: String) throws -> [UInt8]? {
        try withEnvironment { environment in
            let table = environment.table(table)
            return try environment.read { (reader) throws(LMDBError) in
                try key.withView { key throws(LMDBError) in try reader.get(table, key)?.copied }
            }
        }
    }

    /// The number of rows of each table.
    func rowCounts() throws -> [String: Int] {
        try withEnvironment { environment in
            var counts: [String: Int] = [:]
            for name in Self.tables {
                counts[name] = try environment.read { (reader) throws(LMDBError) in
                    try reader.statistics(of: environment.table(name)).entries
                }
            }
            return counts
        }
    }
}

extension ShardRecord {
    /// The record of an available shard.
    static func available(_ key: String, sections: UInt64 = 7, bytes: UInt64 = 100) -> ShardRecord {
        var record = ShardRecord(
            number: 0,
            key: key,
            mountURL: "file:///\(key)",
            state: .available
        )
        record.sectionCount = sections
        record.payloadSize = bytes
        record.indexSize = bytes / 10
        return record
    }

    /// Reads a record, on its way through an array.
    static func reading(_ bytes: [UInt8], number: UInt32 = 1) throws(CatalogError) -> ShardRecord {
        try bytes.withView { view throws(CatalogError) in
            try ShardRecord(number: number, reading: view)
        }
    }
}

extension Catalog {
    /// Publishes a shard without an index.
    @discardableResult
    func publish(_ record: ShardRecord) throws(CatalogError) -> ShardRecord {
        try publish(record, root: nil, generation: nil, pieces: [])
    }

    /// Writes a record and its pending row, if they differ.
    @discardableResult
    func update(
        _ record: ShardRecord,
        pending: PendingWork? = nil
    ) throws(CatalogError) -> ShardRecord {
        try commit([.update(record, pending: pending)])[0]
    }

    /// Some records, by their keys.
    func keys(after number: UInt32? = nil, limit: Int = 1000) throws(CatalogError) -> [String] {
        try records(after: number, limit: limit).map(\.key)
    }
}

extension [UInt8] {
    /// The same row with a checksum that holds in its last eight bytes.
    func withChecksumAtEnd() -> [UInt8] {
        let content = Array(dropLast(8))
        var bytes = content
        bytes.append(littleEndian: content.withView { Checksum.xxh64($0) })
        return bytes
    }
}

extension Catalog {
    /// Returns the work that a shard waits for; nil if there is none.
    ///
    /// - Throws: `.corrupt` if a row cannot be read.
    func pendingWork(of number: UInt32) throws(CatalogError) -> PendingWork? {
        try pendingShards().first { $0.number == number }?.work
    }
}
