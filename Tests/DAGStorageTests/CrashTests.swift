import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A program that registers CARs is killed, at any moment, over and over.
@Suite("Crashes")
struct CrashTests {
    private static let builders = (0..<8).map { number in
        number % 2 == 0
            ? CARBuilder.uniform(sections: 300 + 50 * number, blockSize: 30, seed: UInt64(number))
            : CARBuilder.mixed(seed: UInt64(number))
    }

    /// The program, beside the tests.
    private static let program = Bundle.main.bundleURL.appending(path: "dagstore")

    @Test("after kill -9 every shard is absent or whole, and what was answered is there")
    func killed() async throws {
        let folder = try StoreFolder()
        let seed: UInt64 = 1
        var generator = SplitMix64(seed: seed)
        let paths = try Self.builders.enumerated().map { number, builder in
            try folder.mount(builder.bytes, named: "\(number).car").path.string
        }
        var completed = 0
        var interrupted = 0
        for round in 0..<50 {
            let answered = try Self.registerAndKill(
                paths.shuffled(using: &generator),
                store: folder.storePath,
                using: &generator
            )
            let store = try folder.open()
            let keys = store.keys
            #expect(Set(answered).isSubset(of: keys), "seed \(seed), round \(round)")
            for status in try store.allStatuses() {
                let problems = try await Self.problems(status, in: store)
                #expect(problems == [], "seed \(seed), round \(round)")
            }
            let statistics = try store.statistics()
            #expect(statistics.shards == UInt64(keys.count), "seed \(seed), round \(round)")
            #expect(statistics.available == UInt64(keys.count), "seed \(seed), round \(round)")
            if keys.count == paths.count { completed += 1 } else { interrupted += 1 }
            // Some go, so that there is something to register, and room to use again.
            for key in keys where keys.count == paths.count || Bool.random(using: &generator) {
                try await store.destroy(key)
            }
            await store.close()
            #expect(try PackageFolder.files(in: folder.storePath + "/tmp") == [])
        }
        #expect(interrupted > 10, "seed \(seed): \(completed) rounds came to their end")
    }

    /// What is wrong with a shard; every block is found and hashed.
    private static func problems(_ status: ShardStatus, in store: DAGStore) async throws -> [String]
    {
        guard let number = Int(status.key.text) else { return ["the key \(status.key)"] }
        let shard = try await store.acquire(status.key)
        let problems = try await ShardModel(builders[number]).problems(in: shard)
        return problems + shard.checkIndex()
    }

    /// Starts the program, and kills it when it has said a random number of lines, or a little later.
    ///
    /// - Returns: The keys that it said it had registered.
    private static func registerAndKill(
        _ paths: [String],
        store: String,
        using generator: inout SplitMix64
    ) throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = ["register"] + paths + ["--store", store, "--format", "json"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let lines = Int.random(in: 0...paths.count, using: &generator)
        var said = Data()
        while said.count(where: { $0 == UInt8(ascii: "\n") }) < lines {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { break }
            said += data
        }
        // A while of nothing but work: where the kill falls is up to the system.
        for _ in 0..<Int.random(in: 0..<400_000, using: &generator) { _ = generator.next() }
        kill(process.processIdentifier, SIGKILL)
        said += try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return said.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line))
            guard let answer = object as? [String: Any], answer["state"] as? String == "available"
            else { return nil }
            return answer["key"] as? String
        }
    }
}
