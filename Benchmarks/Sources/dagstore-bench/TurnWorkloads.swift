import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import Peers
import SystemPackage

/// Measures the store and one peer in turn, so that a disturbance meets both.
extension Workload {
    static let flat = Workload(
        name: "flat",
        about: "TARGETS 31: from a CAR to a durable index, in turn with go-car's flat layout"
    ) { bench in
        let curves = [(1_000, "1k"), (10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")]
        let sets = curves.map { (Dataset.curve($0), $1) } + [(.n100k, "n100k"), (.n1m, "n1m")]
        var figures: [Figure] = []
        for (set, name) in sets {
            let path = try set.file(in: bench.folder)
            // Small indexes wait for the disk most of the time, which varies.
            let repeats = set.blocks > 100_000 ? bench.runs : 5 * bench.runs
            var ours: [Double] = []
            var theirs: [Double] = []
            for _ in 0..<repeats {
                ours.append(try await register(set, path, bench))
                theirs.append(try ingestFlat(path, bench))
            }
            figures += inTurn("flat.ingest.\(name)", "s", ours, theirs, FlatPeer.system)
        }
        return figures
    }

    /// Seconds from a CAR to a durable index, inverse index included.
    private static func register(
        _ set: Dataset,
        _ path: FilePath,
        _ bench: Bench
    ) async throws -> Double {
        let place = try bench.emptyStore("flat")
        let store = try DAGStore.open(at: place)
        let start = now()
        try await store.register(ShardKey(set.name), from: FileMount(path))
        let time = Double(now() - start) / 1e9
        await store.close()
        bench.remove(place)
        return time
    }

    /// The same without an inverse index, lengths and codecs, which the layout lacks.
    private static func ingestFlat(_ path: FilePath, _ bench: Bench) throws -> Double {
        let folder = bench.folder.appending("peer-flat-in-turn").string
        system("rm -rf \(folder)")
        defer { system("rm -rf \(folder)") }
        let database = try FlatPeer(at: folder)
        let start = now()
        let entries = try CARScan.entries(of: path.string, bufferSize: 64 << 10)
        try entries.withUnsafeBufferPointer { try database.ingest(shard: 1, $0) }
        let time = Double(now() - start) / 1e9
        try database.close()
        return time
    }

    static let first = Workload(
        name: "first",
        about: "TARGETS 32: open until the first answer, in turn with LMDB; 1, 1 k and 100 k shards"
    ) { bench in
        var figures: [Figure] = []
        let whole = try await storeOfWhole(bench)
        figures += try await firstAnswers("first.1", whole, bench)
        for count in [1_000, 100_000] {
            let many = try await storeOfMany(count, bench)
            figures += try await firstAnswers("first.\(count)", many, bench)
        }
        return figures
    }

    /// A store and an LMDB environment that have the same blocks, and a block to ask for.
    private struct Pair {
        let store: FilePath
        let environment: String
        let key: ShardKey
        let shard: UInt32
        let cid: CID
    }

    /// One shard of a million blocks.
    private static func storeOfWhole(_ bench: Bench) async throws -> Pair {
        let path = try Dataset.n1m.file(in: bench.folder)
        let place = bench.folder.appending("store-\(Dataset.n1m.name)")
        let key = try ShardKey(Dataset.n1m.name)
        let store = try await store(bench, .n1m)
        let shard = try await store.acquire(key)
        let cid = try randomCIDs(shard, count: 1)[0]
        shard.release()
        await store.close()
        let environment = try environment(bench, shards: [1], CARScan.entries(of: path.string))
        return Pair(store: place, environment: environment, key: key, shard: 1, cid: cid)
    }

    /// Many shards of the same five blocks.
    private static func storeOfMany(_ count: Int, _ bench: Bench) async throws -> Pair {
        let place = try await filledStore(count, bench)
        let car = bench.folder.appending("same-shards/0.car").string
        let shards = (0..<count).map { UInt32($0) }
        let environment = try environment(bench, shards: shards, CARScan.entries(of: car))
        return Pair(
            store: place,
            environment: environment,
            key: try ShardKey("shard-\(count / 2)"),
            shard: UInt32(count / 2),
            cid: Dataset.smallShard(nil).cids[2]
        )
    }

    /// A new LMDB environment in which each of some shards has the same entries.
    private static func environment(
        _ bench: Bench,
        shards: [UInt32],
        _ entries: [PeerEntry]
    ) throws -> String {
        let folder = bench.folder.appending("peer-lmdb-first").string
        system("rm -rf \(folder)")
        let database = try LMDBPeer(at: folder)
        try database.setDurable(false)
        for shard in shards {
            try entries.withUnsafeBufferPointer { try database.ingest(shard: shard, $0) }
        }
        try database.setDurable(true)
        try database.close()
        return folder
    }

    private static func firstAnswers(
        _ name: String,
        _ pair: Pair,
        _ bench: Bench
    ) async throws -> [Figure] {
        defer { system("rm -rf \(pair.environment)") }
        let digest = Array(pair.cid.multihash.digest)
        var ours: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<10 * bench.runs {
            var start = now()
            let store = try DAGStore.open(at: pair.store)
            let shard = try await store.acquire(pair.key)
            guard try shard.contains(pair.cid) else {
                throw BenchmarkError("a block was not found")
            }
            ours.append(Double(now() - start) / 1e6)
            shard.release()
            await store.close()
            start = now()
            let database = try LMDBPeer(at: pair.environment)
            let offset = try digest.withUnsafeBytes { bytes in
                try bytes.baseAddress.flatMap { try database.offset(of: $0, in: pair.shard) }
            }
            guard offset != nil else { throw BenchmarkError("LMDB lost an entry") }
            theirs.append(Double(now() - start) / 1e6)
            try database.close()
        }
        return inTurn(name, "ms", ours, theirs, LMDBPeer.system)
    }

    /// The figures of both sides, and how many times as long ours took than the peer right after.
    private static func inTurn(
        _ name: String,
        _ unit: String,
        _ ours: [Double],
        _ theirs: [Double],
        _ peer: String
    ) -> [Figure] {
        [
            Figure(name: name, unit: unit, values: ours),
            Figure(name: name, unit: unit, values: theirs, system: peer),
            Figure(name: "\(name).ratio", unit: "x", values: zip(ours, theirs).map { $0 / $1 }),
        ]
    }
}
