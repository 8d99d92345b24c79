import DAGStorage
import Glibc
import SystemPackage

/// The admin interface of a node with many shards.
extension Workload {
    static let admin = Workload(
        "admin",
        about:
            "the admin interface: the page's data and the metrics of a node with 100,000 shards; "
            + "DAGSTORE names the program"
    ) { bench in
        guard let program = getenv("DAGSTORE").map({ String(cString: $0) }) else {
            return WorkloadResult(skipped: [(nil, "DAGSTORE does not name the program")])
        }
        let count = bench.isQuick ? 10_000 : 100_000
        let place = try await manyShards(bench, count)
        let port = try freePort()
        let server = try ServedProgram(
            program,
            [
                "serve", "--store", place.string, "--listen", "127.0.0.1:0", "--format", "json",
                "--admin", "127.0.0.1:\(port)",
            ]
        )
        let token = Machine.text(of: place.appending("admin.token").string)
            .split(separator: "\n").joined()
        let client = try HTTPClient(port: port)
        func time(_ targets: [String]) throws -> [Double] {
            try (0..<(bench.runs * 10)).map { _ in
                let start = now()
                for target in targets {
                    let answer = try client.get(
                        target,
                        fields: "Authorization: Bearer \(token)\r\n"
                    )
                    guard answer.status == 200 else {
                        throw BenchmarkError("\(target): status \(answer.status)")
                    }
                }
                return Double(now() - start) / 1e6
            }
        }
        let page = try time(["/v1/node", "/v1/summary", "/v1/shards?limit=50"])
        let search = try time(["/v1/shards?limit=50&search=key-\(count - 1)"])
        let failed = try time(["/v1/shards?limit=50&state=failed"])
        let metrics = try time(["/metrics"])
        withExtendedLifetime(server) {}
        return WorkloadResult(
            figures: [
                Figure(name: "admin.page", unit: "ms", values: page),
                Figure(name: "admin.search", unit: "ms", values: search),
                Figure(name: "admin.state", unit: "ms", values: failed),
                Figure(name: "admin.metrics", unit: "ms", values: metrics),
            ]
        )
    }

    /// A store with shards that are registered and not indexed.
    private static func manyShards(_ bench: Bench, _ count: Int) async throws -> FilePath {
        let place = bench.folder.appending("store-admin")
        system("rm -rf \(place)")
        let file = try Dataset.n16k.file(in: bench.folder)
        let store = try DAGStore.open(at: place)
        let mount = FileMount(file)
        try await withThrowingTaskGroup { group in
            // Many at once share commits.
            for part in 0..<64 {
                group.addTask {
                    for number in stride(from: part, to: count, by: 64) {
                        let key = try ShardKey("shard/key-\(number)")
                        try await store.register(key, from: mount, indexing: .onFirstUse)
                    }
                }
            }
            try await group.waitForAll()
        }
        await store.close()
        return place
    }
}
