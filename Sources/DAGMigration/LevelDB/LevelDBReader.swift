internal import DAGBytes
internal import Synchronization
internal import SystemPackage

/// A LevelDB directory that another process owns, and may be writing to.
///
/// Reading writes, locks and removes nothing, in the directory or elsewhere.
///
/// *Memory*: the journals, which take some megabytes, and 8 MiB. *Concurrency*: any thread.
final class LevelDBReader: Sendable {
    private let path: FilePath
    private let heldTablesMax: Int
    private let view: Mutex<LevelDBView>

    /// How often in a row the database is opened again because a table was removed.
    private static let attemptsMax = 5

    /// Opens the database in `directory`.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - heldTablesMax: The most tables to keep open; never more than half of the process's descriptor limit.
    /// - Throws: `.sourceUnreadable`, `.sourceCorrupt`, `.sourceChanged`, `.notBuiltIn`.
    init(at directory: FilePath, heldTablesMax: Int = .max) throws(MigrationError) {
        path = directory
        self.heldTablesMax = heldTablesMax
        view = Mutex(try Self.open(directory, heldTablesMax))
    }

    /// Opens the database; repeats that if the owner compacted tables meanwhile.
    private static func open(_ directory: FilePath, _ heldTablesMax: Int) throws(MigrationError)
        -> LevelDBView
    {
        var last = MigrationError(.sourceUnreadable, directory, "not read")
        for _ in 0..<attemptsMax {
            do throws(MigrationError) {
                return try LevelDBView(of: directory, heldTablesMax: heldTablesMax)
            } catch {
                last = error
                // The owner compacted the missing table away; the next attempt reads the new manifest.
                guard error.code == .sourceChanged || error.code == .sourceCorrupt else { break }
            }
        }
        throw last
    }

    /// Calls `body` with every row whose key begins with `prefix`, in the order of the keys.
    ///
    /// If the owner removes a table that could not be kept open, the walk opens the database again and continues
    /// after the last row.
    ///
    /// - Parameters:
    ///   - prefix: The first bytes of the keys.
    ///   - body: Receives the whole key and the value, valid during the call; returns whether to continue.
    /// - Throws: `.sourceCorrupt` if a block's checksum is wrong; `.sourceChanged` if the owner removes tables faster
    ///   than they can be read; what `body` throws.
    func forEach(
        prefix: [UInt8],
        _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
    ) throws(MigrationError) {
        var last: [UInt8]?
        var attempts = 0
        while true {
            let current = view.withLock { $0 }
            var isOver = false
            do throws(MigrationError) {
                try current.forEach(from: last ?? prefix) { (key, value) throws(MigrationError) in
                    let hasPrefix =
                        key.count >= prefix.count
                        && prefix.withView { key[0..<prefix.count].elementsEqual($0) }
                    guard hasPrefix else { return false }
                    if let last, last.withView({ $0.elementsEqual(key) }) { return true }
                    guard try body(key, value) else {
                        isOver = true
                        return false
                    }
                    // The key is copied only if the walk may have to start again.
                    if current.mayLoseTables { last = key.copied }
                    attempts = 0
                    return true
                }
                return
            } catch {
                guard error.code == .sourceChanged, !isOver, attempts < Self.attemptsMax else {
                    throw error
                }
                attempts += 1
            }
            try renew(current)
        }
    }

    /// Opens the database again, unless another thread has.
    private func renew(_ old: LevelDBView) throws(MigrationError) {
        let new = try Self.open(path, heldTablesMax)
        view.withLock { if $0 === old { $0 = new } }
    }

    /// Calls `body` with every row of an inverse index.
    ///
    /// - Parameters:
    ///   - prefix: What stands before the multihash in a row's key.
    ///   - multihash: Reads the multihash from the rest of a key.
    ///   - keys: Reads the keys of shards from a value.
    ///   - body: Receives what both read.
    /// - Throws: `MigrationError`, and what `body` throws.
    func forEachInverseRow(
        prefix: [UInt8],
        multihash: (ByteView) -> [UInt8]?,
        keys: ([UInt8]) -> [String]?,
        _ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void
    ) throws {
        // Rows of the same shards have the same bytes.
        var decoded: [[UInt8]: [String]?] = [:]
        var failure: (any Error)?
        try forEach(prefix: prefix) { (key, value) throws(MigrationError) in
            let bytes = value.copied
            let shards = decoded[bytes] ?? keys(bytes)
            if decoded.count < 1 << 16 { decoded[bytes] = .some(shards) }
            do {
                try body(multihash(key[prefix.count..<key.count]), shards)
            } catch {
                failure = error
            }
            return failure == nil
        }
        if let failure { throw failure }
    }
}
