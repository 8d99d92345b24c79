import CLevelDBPeer
import DAGBytes
import DAGCAR
import Glibc
import SystemPackage

/// Index files of a Go node into a store, beside the same entries into LevelDB row by row.
extension Workload {
    private static let shards = 100
    private static let entriesPerShard = 100_000
    private static var entries: Double { Double(shards * entriesPerShard) }

    static let migrate = Workload(
        "migrate",
        about:
            "10 M entries of 100 index files: migrate run, and LevelDB row by row as Boost loads them; DAGSTORE is the program",
        kind: .long
    ) { bench in
        guard let program = getenv("DAGSTORE").map({ String(cString: $0) }) else {
            return WorkloadResult(skipped: [(nil, "DAGSTORE does not name the program")])
        }
        let source = bench.folder.appending("migrate-indexes")
        try makeIndexes(source)
        var ours: [String: [Double]] = [:]
        var sizes: [Double] = []
        var memory: [String: [Double]] = [:]
        var rows: [Double] = []
        var rowSizes: [Double] = []
        // In turn, so that a disturbance meets all; row by row, LevelDB takes a minute and more.
        for _ in 0..<min(3, bench.runs) {
            for (name, options) in [
                ("jobs1", "--verify none --jobs 1"), ("jobs2", "--verify none --jobs 2"),
                ("full2", "--verify full --jobs 2"),
            ] {
                let store = bench.folder.appending("migrate-store")
                try run("rm -rf \(store)")
                let start = now()
                // 5: index files have slashes in their multihashes, which is no fault of theirs.
                let peak = try run(
                    "\(program) migrate run \(source) --store \(store) \(options)",
                    0,
                    5
                )
                ours[name, default: []].append(entries * 1e3 / Double(now() - start))
                memory[name, default: []].append(peak / 1e6)
                if name == "jobs1" { sizes.append(try size(of: store) / entries) }
            }
            let folder = bench.folder.appending("migrate-leveldb")
            try run("rm -rf \(folder)")
            let start = now()
            try loadRows(source, into: folder)
            rows.append(entries * 1e3 / Double(now() - start))
            rowSizes.append(try size(of: folder) / entries)
        }
        func figure(_ name: String, _ unit: String, _ values: [Double]) -> Figure {
            Figure(name: "migrate.\(name)", unit: unit, values: values)
        }
        let full = ours["full2"] ?? []
        return WorkloadResult(figures: [
            figure("jobs1", "M/s", ours["jobs1"] ?? []),
            figure("jobs2", "M/s", ours["jobs2"] ?? []),
            figure("full2", "M/s", full), figure("leveldb.rows", "M/s", rows),
            figure("full2/leveldb", "x", zip(full, rows).map { $0 / $1 }),
            figure("resident.unverified", "MB", memory["jobs2"] ?? []),
            figure("resident.full", "MB", memory["full2"] ?? []),
            figure("size", "B", sizes), figure("leveldb.size", "B", rowSizes),
        ])
    }

    /// Writes the index files, the same each time.
    private static func makeIndexes(_ folder: FilePath) throws {
        guard access(folder.appending(".version").string, F_OK) != 0 else { return }
        mkdir(folder.string, 0o755)
        for shard in 0..<shards {
            var random = SplitMix64(seed: 0x6d69_6772 + UInt64(shard))
            var builder = CARIndexBuilder()
            var offset: UInt64 = 59
            for _ in 0..<entriesPerShard {
                var digest: [UInt8] = []
                for _ in 0..<4 { digest.append(littleEndian: random.next()) }
                digest.withView { builder.append(hashCode: 0x12, digest: $0, offset: offset) }
                offset += 39 + random.next() % 300_000
            }
            try writeFile(builder.encoded(), to: folder.appending("shard-\(shard).full.idx"))
        }
        try writeFile([UInt8(ascii: "1")], to: folder.appending(".version"))
    }

    private static func read(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            let size = Int(try file.seek(offset: 0, from: .end))
            return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while count < size {
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]
                    )
                    let part = try file.read(fromAbsoluteOffset: Int64(count), into: rest)
                    guard part > 0 else { throw BenchmarkError("\(path) became shorter") }
                    count += part
                }
            }
        }
    }

    /// Runs a command.
    ///
    /// - Returns: The most memory that it had resident, in bytes; a mapped store counts.
    @discardableResult
    private static func run(_ line: String, _ lawful: Int32...) throws -> Double {
        let words = ["/bin/sh", "-c", line + " >/dev/null 2>&1"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        guard posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0 else {
            throw BenchmarkError("\(line) cannot be started")
        }
        var status: Int32 = 0
        var usage = rusage()
        guard wait4(child, &status, 0, &usage) == child else {
            throw BenchmarkError("\(line): the process is gone")
        }
        let code = status >> 8 & 0xff
        guard status & 0x7f == 0, lawful.contains(code) || code == 0 else {
            throw BenchmarkError("\(line) ended with \(status)")
        }
        return Double(usage.ru_maxrss) * 1024
    }

    /// Returns the size of a folder's files on disk, in bytes.
    private static func size(of folder: FilePath) throws -> Double {
        guard let pipe = popen("du -s --block-size=1 \(folder)", "r") else {
            throw BenchmarkError("du cannot be started")
        }
        defer { pclose(pipe) }
        var line = [CChar](repeating: 0, count: 4096)
        guard fgets(&line, Int32(line.count), pipe) != nil else {
            throw BenchmarkError("du printed nothing")
        }
        let digits = line.prefix { $0 != 9 }.map { UInt8(bitPattern: $0) }
        return Double(String(decoding: digits, as: UTF8.self)) ?? 0
    }

    // MARK: Row by row

    /// Loads the same entries as Boost does: a record for each multihash of a piece, and for each multihash
    /// the list of pieces, read and written back; snappy, no wait for the disk but at the end.
    private static func loadRows(_ source: FilePath, into folder: FilePath) throws {
        guard let options = leveldb_options_create(),
            let writeOptions = leveldb_writeoptions_create(),
            let readOptions = leveldb_readoptions_create(), let batch = leveldb_writebatch_create()
        else { throw BenchmarkError("LevelDB gave no options") }
        leveldb_options_set_create_if_missing(options, 1)
        leveldb_options_set_compression(options, Int32(leveldb_snappy_compression))
        let cache = leveldb_cache_create_lru(64 << 20)
        leveldb_options_set_cache(options, cache)
        let filter = leveldb_filterpolicy_create_bloom(10)
        leveldb_options_set_filter_policy(options, filter)
        var message: UnsafeMutablePointer<CChar>?
        guard let database = leveldb_open(options, folder.string, &message) else {
            throw BenchmarkError("LevelDB: \(message.map { String(cString: $0) } ?? "")")
        }
        let digits = Array("0123456789abcdef".utf8)
        for shard in 0..<shards {
            let bytes = try read(source.appending("shard-\(shard).full.idx"))
            let value = Array(#"[{"/":"baga6ea4seaqshard\#(shard)"}]"#.utf8)
            let recordPrefix = Array("/\(100 + shard)/".utf8)
            let inversePrefix = [UInt8(ascii: "/"), 2] + [UInt8](repeating: 0, count: 9)
            try bytes.withView { view throws(CARError) in
                let index = try CARIndex(reading: view)
                for bucket in index.buckets {
                    for number in 0..<bucket.count {
                        let entry = index.entry(number, of: bucket)
                        var hexadecimal = Array("1220".utf8)
                        for byte in entry.digest.copied {
                            hexadecimal.append(digits[Int(byte >> 4)])
                            hexadecimal.append(digits[Int(byte & 15)])
                        }
                        var record: [UInt8] = []
                        for var rest in [entry.offset, 100] {
                            while rest >= 0x80 {
                                record.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                                rest >>= 7
                            }
                            record.append(UInt8(rest))
                        }
                        put(batch, recordPrefix + hexadecimal, record)
                        let key = inversePrefix + hexadecimal
                        var size = 0
                        let old = key.withUnsafeBytes {
                            leveldb_get(
                                database,
                                readOptions,
                                $0.baseAddress?.assumingMemoryBound(to: CChar.self),
                                $0.count,
                                &size,
                                &message
                            )
                        }
                        if let old { leveldb_free(old) }
                        put(batch, key, value)
                        if number % 1000 == 999 {
                            leveldb_write(database, writeOptions, batch, &message)
                            leveldb_writebatch_clear(batch)
                        }
                    }
                }
            }
        }
        leveldb_writeoptions_set_sync(writeOptions, 1)
        leveldb_write(database, writeOptions, batch, &message)
        if let message { throw BenchmarkError("LevelDB: \(String(cString: message))") }
        leveldb_writebatch_destroy(batch)
        leveldb_close(database)
        leveldb_readoptions_destroy(readOptions)
        leveldb_writeoptions_destroy(writeOptions)
        leveldb_options_destroy(options)
        leveldb_cache_destroy(cache)
        leveldb_filterpolicy_destroy(filter)
    }

    private static func put(_ batch: OpaquePointer, _ key: [UInt8], _ value: [UInt8]) {
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { value in
                leveldb_writebatch_put(
                    batch,
                    key.baseAddress?.assumingMemoryBound(to: CChar.self),
                    key.count,
                    value.baseAddress?.assumingMemoryBound(to: CChar.self),
                    value.count
                )
            }
        }
    }
}
