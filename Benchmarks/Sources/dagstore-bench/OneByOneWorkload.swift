import DAGMounts
import DAGStorage
import Glibc
import SystemPackage

/// Registers small shards, one after another.
extension Workload {
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
}
