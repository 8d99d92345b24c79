@_spi(Measurement) import DAGStorage
import Glibc
import Mounts
import Multiformats
import Peers
import SystemPackage

/// Writing: from CARs to durable indexes, beside the flat file that go-car writes.
extension Workload {
    static let ingest = Workload(
        "ingest",
        about: "from a CAR of 1 k to 1 M blocks to a durable index, in turns with a flat file"
    ) { bench in
        var result = WorkloadResult()
        let sets = [Dataset.curve(1000), .curve(10_000), .curve(100_000), .n100k, .n16k, .n1m]
        for set in sets { try await ingestInTurns(set, bench, &result) }
        return result
    }

    static let oneByOne = Workload(
        name: "one-by-one",
        about: "register 1,000 shards of 5 blocks, each after the answer to the one before it"
    ) { bench in
        let folder = bench.folder.appending("small-shards")
        try Dataset.writeSmallShards(10_000, in: folder, isSame: false)
        var values: [Double] = []
        for _ in 0..<bench.runs {
            let place = try bench.emptyStore("one-by-one")
            let store = try DAGStore.open(at: place)
            let start = now()
            for number in 0..<1000 {
                let mount = FileMount(folder.appending("\(number).car"))
                try await store.register(ShardKey("shard-\(number)"), from: mount)
            }
            values.append(1000 / (Double(now() - start) / 1e9))
            await store.close()
            bench.remove(place)
        }
        return [Figure(name: "one-by-one", unit: "1/s", values: values)]
    }

    /// Measures the store and the flat file by turns, so that both meet the same machine.
    private static func ingestInTurns(
        _ set: Dataset,
        _ bench: Bench,
        _ result: inout WorkloadResult
    ) async throws {
        let path = try set.file(in: bench.folder)
        let place = try bench.emptyStore("ingest")
        let folder = bench.folder.appending("ingest-flat").string
        // A small file takes less than a flush varies by.
        let rounds = set.blocks <= 10_000 ? 10 * bench.runs : bench.runs
        var ours: [Double] = []
        var flat: [Double] = []
        for _ in 0..<rounds {
            bench.remove(place)
            let store = try DAGStore.open(at: place)
            var start = now()
            try await store.register(ShardKey(set.name), from: FileMount(path))
            ours.append(Double(now() - start) / 1e6)
            await store.close()
            system("rm -rf \(folder)")
            let database = try FlatPeer(at: folder)
            start = now()
            let entries = try CARScan.entries(of: path.string, bufferSize: 64 << 10)
            try entries.withUnsafeBufferPointer { try database.ingest(shard: 1, $0) }
            flat.append(Double(now() - start) / 1e6)
            try database.close()
        }
        bench.remove(place)
        system("rm -rf \(folder)")
        let name = "ingest.\(set.name)"
        result.figures.append(Figure(name: name, unit: "ms", values: ours))
        result.figures.append(Figure(name: name, unit: "ms", values: flat, system: "flat"))
    }
}
