import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import Peers
import SystemPackage

/// The same work with the same data and the same durability, done by others.
extension Workload {
    private static let searches = 500_000

    static let peers = Workload(
        "peers",
        about:
            "scan, ingest, look up, size, restart and verify, beside LevelDB, RocksDB, LMDB rows and a sorted flat file",
        kind: .peers
    ) { bench in
        var result = WorkloadResult()
        try await scans(bench, &result)
        for set in [Dataset.n1m, .n100k, .n16k] { try await ingest(set, bench, &result) }
        for exponent in bench.isQuick ? 3...5 : 3...7 {
            let count = (0..<exponent).reduce(1) { product, _ in product * 10 }
            try curve(Dataset.curve(count), bench, &result)
        }
        for peer in Peers.all {
            if let reason = peer.unavailability() { result.skipped.append((peer.system, reason)) }
        }
        return result
    }

    private static var available: [any IndexPeer.Type] {
        Peers.all.filter { $0.unavailability() == nil }
    }

    // MARK: CARs

    /// Reading the sections of a CAR and hashing its blocks, as go-car does: a buffered reader, a block at a time.
    private static func scans(_ bench: Bench, _ result: inout WorkloadResult) async throws {
        let path = try Dataset.n1m.file(in: bench.folder)
        let sections = UInt64(Dataset.n1m.blocks)
        let ours = try bench.values {
            let start = now()
            guard try Measurement.scan(path) == sections else {
                throw BenchmarkError("the scan found another number of sections")
            }
            return Double(now() - start) / 1e9
        }
        result.figures.append(Figure(name: "peers.scan.n1m", unit: "s", values: ours))
        result.figures.append(
            Figure(
                name: "peers.scan.n1m",
                unit: "s",
                values: try bench.values {
                    let start = now()
                    // Its best on small blocks; with 4 KiB it takes twice as long.
                    consume(try CARScan.scan(path: path.string, bufferSize: 64 << 10))
                    return Double(now() - start) / 1e9
                },
                system: "flat"
            )
        )
        let small = try Dataset.n100k.file(in: bench.folder)
        let verified = try bench.values {
            let start = now()
            let outcome = try Measurement.verify(small, workers: 2)
            guard outcome.isSound else { throw BenchmarkError("the CAR is not sound") }
            return Double(outcome.bytes) / Double(now() - start)
        }
        result.figures.append(Figure(name: "peers.verify.n100k", unit: "GB/s", values: verified))
        result.figures.append(
            Figure(
                name: "peers.verify.n100k",
                unit: "GB/s",
                values: try bench.values {
                    let start = now()
                    let found = try CARScan.verify(path: small.string, bufferSize: 64 << 10)
                    return Double(found.bytes) / Double(now() - start)
                },
                system: "flat"
            )
        )
    }

    // MARK: Indexes

    /// From a CAR to a durable index that answers, inverse index included; the flat file has none.
    private static func ingest(
        _ set: Dataset,
        _ bench: Bench,
        _ result: inout WorkloadResult
    ) async throws {
        let path = try set.file(in: bench.folder)
        let isMeasuredWhole = set.name == "n1m"
        let name = "peers.ingest.\(set.name)"
        let place = try bench.emptyStore("peers")
        var ours: [Double] = []
        for _ in 0..<bench.runs {
            bench.remove(place)
            let store = try DAGStore.open(at: place)
            let start = now()
            try await store.register(ShardKey(set.name), from: FileMount(path))
            ours.append(Double(now() - start) / 1e9)
            await store.close()
        }
        result.figures.append(Figure(name: name, unit: "s", values: ours))
        if isMeasuredWhole { result.figures += try await measureStore(place, set, bench) }
        bench.remove(place)
        let entries = isMeasuredWhole ? try CARScan.entries(of: path.string) : []
        for peer in available {
            let folder = bench.folder.appending("peer-\(peer.system)").string
            // They are slow, and steady.
            var values: [Double] = []
            for _ in 0..<min(3, bench.runs) {
                system("rm -rf \(folder)")
                let database = try peer.init(at: folder)
                let start = now()
                let entries = try CARScan.entries(of: path.string)
                try entries.withUnsafeBufferPointer { try database.ingest(shard: 1, $0) }
                values.append(Double(now() - start) / 1e9)
                if isMeasuredWhole { try database.settle() }
                try database.close()
            }
            result.figures.append(
                Figure(name: name, unit: "s", values: values, system: peer.system)
            )
            if isMeasuredWhole { result.figures += try measure(peer, folder, entries, bench) }
            system("rm -rf \(folder)")
        }
    }

    /// Measures the store with `n1m` in it.
    private static func measureStore(
        _ place: FilePath,
        _ set: Dataset,
        _ bench: Bench
    ) async throws -> [Figure] {
        var restart: [Double] = []
        let key = try ShardKey(set.name)
        var store = try DAGStore.open(at: place)
        var shard = try await store.acquire(key)
        let hits = try randomCIDs(shard, count: searches)
        let misses = absentCIDs(count: searches)
        let size = Double(try store.statistics().catalogUsedBytes) / Double(set.blocks)
        func time(_ cids: [CID]) throws -> [Double] {
            try bench.values {
                let start = now()
                var found = 0
                for cid in cids where try shard.contains(cid) { found += 1 }
                consume(found)
                return Double(now() - start) / Double(cids.count)
            }
        }
        let figures = [
            Figure(name: "peers.lookup.hit", unit: "ns", values: try time(hits)),
            Figure(name: "peers.lookup.miss", unit: "ns", values: try time(misses)),
            Figure(name: "peers.size", unit: "B/entry", values: [size]),
        ]
        for _ in 0..<bench.runs {
            shard.release()
            await store.close()
            let start = now()
            store = try DAGStore.open(at: place)
            shard = try await store.acquire(key)
            guard try shard.contains(hits[0]) else { throw BenchmarkError("a block was not found") }
            restart.append(Double(now() - start) / 1e6)
        }
        shard.release()
        await store.close()
        return figures + [Figure(name: "peers.restart", unit: "ms", values: restart)]
    }

    /// Measures a peer with the same entries.
    private static func measure(
        _ peer: any IndexPeer.Type,
        _ folder: String,
        _ entries: [PeerEntry],
        _ bench: Bench
    ) throws -> [Figure] {
        var random = SplitMix64(seed: 77)
        let hits = (0..<searches).map { _ in
            entries[Int(random.next() % UInt64(entries.count))].digest
        }
        let misses = (0..<searches).map { _ in
            (random.next(), random.next(), random.next(), random.next())
        }
        let size = Double(peer.sizeOnDisk(of: folder)) / Double(entries.count)
        var restart: [Double] = []
        for _ in 0..<bench.runs {
            let start = now()
            let database = try peer.init(at: folder)
            var digest = hits[0]
            guard try database.offset(of: &digest, in: 1) != nil else {
                throw BenchmarkError("\(peer.system) lost an entry")
            }
            restart.append(Double(now() - start) / 1e6)
            try database.close()
        }
        let database = try peer.init(at: folder)
        let hit = try bench.values { try time(hits, expect: hits.count, 1, database) }
        let miss = try bench.values { try time(misses, expect: 0, 1, database) }
        try database.close()
        return [
            Figure(name: "peers.lookup.hit", unit: "ns", values: hit, system: peer.system),
            Figure(name: "peers.lookup.miss", unit: "ns", values: miss, system: peer.system),
            Figure(name: "peers.size", unit: "B/entry", values: [size], system: peer.system),
            Figure(name: "peers.restart", unit: "ms", values: restart, system: peer.system),
        ]
    }

    private static func time(
        _ digests: [(UInt64, UInt64, UInt64, UInt64)],
        expect: Int,
        _ shard: UInt32,
        _ database: any IndexPeer
    ) throws -> Double {
        var found = 0
        let start = now()
        for var digest in digests where try database.offset(of: &digest, in: shard) != nil {
            found += 1
        }
        let elapsed = Double(now() - start)
        guard found == expect else { throw BenchmarkError("\(found) of \(expect) found") }
        return elapsed / Double(digests.count)
    }

    // MARK: Curves

    /// The points of the peers on the curves over entries.
    private static func curve(
        _ set: Dataset,
        _ bench: Bench,
        _ result: inout WorkloadResult
    ) throws {
        let path = try set.file(in: bench.folder)
        let entries = try CARScan.entries(of: path.string, bufferSize: 64 << 10)
        let point = Figure.Point(count: set.blocks, axis: "entries")
        for peer in available {
            // Row by row, ten million take LevelDB a minute and more.
            guard set.blocks <= 1_000_000 || peer.system != "leveldb" else {
                result.skipped.append((peer.system, "\(set.blocks) entries take minutes"))
                continue
            }
            let folder = bench.folder.appending("peer-\(peer.system)").string
            system("rm -rf \(folder)")
            let database = try peer.init(at: folder)
            let start = now()
            let again = try CARScan.entries(of: path.string, bufferSize: 64 << 10)
            try again.withUnsafeBufferPointer { try database.ingest(shard: 1, $0) }
            let ingest = Double(now() - start) / 1e9
            try database.settle()
            try database.close()
            let size = Double(peer.sizeOnDisk(of: folder))
            var open: [Double] = []
            for _ in 0..<bench.runs {
                let start = now()
                let database = try peer.init(at: folder)
                open.append(Double(now() - start) / 1e6)
                try database.close()
            }
            let reader = try peer.init(at: folder)
            var random = SplitMix64(seed: 79)
            let hits = (0..<100_000).map { _ in
                entries[Int(random.next() % UInt64(entries.count))].digest
            }
            _ = try time(hits, expect: hits.count, 1, reader)
            let lookup = try bench.values { try time(hits, expect: hits.count, 1, reader) }
            try reader.close()
            system("rm -rf \(folder)")
            result.figures += [
                ("curve.lookup", "ns", lookup), ("curve.ingest", "s", [ingest]),
                ("curve.size", "B", [size]), ("curve.open", "ms", open),
            ].map { name, unit, values in
                Figure(name: name, unit: unit, values: values, system: peer.system, point: point)
            }
        }
    }
}
