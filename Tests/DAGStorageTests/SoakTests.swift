import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A process does everything at once and is killed at a random moment, over and over.
///
/// `DAGSTORE_SOAK_SECONDS` says for how long; 5 seconds if nothing does. `make soak` takes a minute.
@Suite("Soak")
struct SoakTests {
    private static let duration: Duration = {
        let text = ProcessInfo.processInfo.environment["DAGSTORE_SOAK_SECONDS"]
        return .seconds(text.flatMap { Int($0) } ?? 5)
    }()

    @Test(
        "killed at any moment, a store that does everything at once loses nothing",
        .timeLimit(.minutes(5))
    )
    func killed() async throws {
        let folder = try StoreFolder()
        try Workers.writeFiles(in: folder)
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        let end = ContinuousClock.now + Self.duration
        var rounds = 0
        var answers = 0
        while ContinuousClock.now < end || answers == 0 {
            let life = Int.random(in: 1...400, using: &generator)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    path = folder.path as String, seed = generator.next() as UInt64,
                    life = life as Int
                ] in
                try await Workers(path, seed: seed).runUntilKilled(after: .milliseconds(life))
            }
            answers += try await Workers(folder.path, seed: 0).check(
                "seed \(seed), round \(rounds)"
            )
            rounds += 1
        }
        print("soak: \(rounds) kills, \(answers) answers held against the store")
    }
}

/// Tasks with keys of their own, each of which does one thing after the other.
private struct Workers {
    private static let count = 6
    private static let keysPerWorker = 4
    private static let content = (0..<4).map { CARBuilder.manyMixed(seed: UInt64($0)) }
    private let path: String
    private let seed: UInt64
    private let copied: CountingMount

    static func writeFiles(in folder: StoreFolder) throws {
        for (number, builder) in content.enumerated() {
            _ = try folder.mount(builder.bytes, named: "\(number).car")
        }
        _ = try folder.mount([1, 2, 3], named: "junk.car")
    }

    init(_ path: String, seed: UInt64) throws {
        self.path = path
        self.seed = seed
        let state = CountingMount.State()
        for (number, builder) in Self.content.enumerated() { state.set("\(number)", builder.bytes) }
        copied = try CountingMount("0", in: state)
    }

    private func open() throws -> DAGStore {
        try StoreFolder.open(path + "/store", [copied]) {
            $0.durability = .full
            $0.transientQuota = 200_000
            $0.idleShardsMax = 3
            $0.inverseFlushFrom = 700
        }
    }

    func runUntilKilled(after life: Duration) async throws {
        let store = try open()
        let timer = DispatchQueue(label: "soak.timer")
        let life = life.components.attoseconds / 1_000_000_000_000_000
        timer.asyncAfter(deadline: .now() + .milliseconds(Int(life))) { kill(getpid(), SIGKILL) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.count {
                group.addTask {
                    let journal = try Journal(at: "\(path)/journal-\(worker)")
                    var generator = SplitMix64(seed: seed &+ UInt64(worker))
                    while true { try await step(worker, store, journal, &generator) }
                }
            }
            group.addTask { while true { _ = try await store.collectGarbage() } }
            try await group.waitForAll()
        }
    }

    private func step(
        _ worker: Int,
        _ store: DAGStore,
        _ journal: Journal,
        _ generator: inout SplitMix64
    ) async throws {
        let number = Int.random(in: 0..<Self.keysPerWorker, using: &generator)
        let key = "\(worker)-\(number)"
        guard let state = try store.state(of: key) else {
            return try await register(key, number, store, journal, &generator)
        }
        switch (state, Int.random(in: 0..<10, using: &generator)) {
        // Some are destroyed, or in the end all shards would be junk.
        case (.failed, 2..<6):
            try await journal.run("failed", key) {
                _ = await errorCode { try await store.recover(key) }
            }
        case (_, 0..<2):
            try await journal.run("absent", key) {
                // What was interrupted before the last kill may still be under way.
                try await store.destroy(key)
            }
        case (.registered, _):
            try await journal.run("available", key) { try await store.initialize(key) }
        case (.failed, _): break
        default: try await store.acquire(key).release()
        }
    }

    private func register(
        _ key: String,
        _ number: Int,
        _ store: DAGStore,
        _ journal: Journal,
        _ generator: inout SplitMix64
    ) async throws {
        let file = FileMount(FilePath("\(path)/\(number).car"))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            try await journal.run("failed", key) {
                let junk = FileMount(FilePath("\(path)/junk.car"))
                _ = await errorCode { try await store.register(key, from: junk) }
            }
        case 1:
            try await journal.run("registered", key) {
                try await store.register(key, from: file, indexing: .onFirstUse)
            }
        case 2...3:
            try await journal.run("available", key) {
                let mount = try CountingMount("\(number)", in: copied.state)
                try await store.register(key, from: mount)
            }
        default:
            try await journal.run("available", key) { try await store.register(key, from: file) }
        }
    }

    /// Opens the store, and looks for anything that does not hold.
    ///
    /// - Returns: How many answers were compared with the store.
    func check(_ round: String) async throws -> Int {
        let store = try open()
        await eventually {
            (try? store.allStatuses())?.allSatisfy {
                $0.state != .initializing && $0.state != .recovering
            } ?? false
        }
        var answers = 0
        for worker in 0..<Self.count {
            let journal = "\(path)/journal-\(worker)"
            for (key, entry) in try Journal.entries(at: journal) where entry.begun == nil {
                let state = try store.state(of: key)?.rawValue ?? "absent"
                // A lease initializes a shard too, and that is not in the journal.
                let isAsAnswered =
                    state == entry.answered
                    || (entry.answered == "registered" && state == "available")
                #expect(isAsAnswered, "\(round): \(key) is \(state), and \(entry)")
                answers += 1
            }
            // What is known now is where the next round begins.
            try? FileManager.default.removeItem(atPath: journal)
        }
        var options = CheckOptions()
        options.isDeep = true
        // All that are there may be junk.
        let wrong = try await store.check(options).problems.filter { $0.kind != .failed }
        #expect(wrong == [], "\(round)")
        // The doctor hashed every block; of one shard every question is asked besides.
        for status in try store.allStatuses().filter({ $0.state == .available }).suffix(1) {
            let number = Int(status.key.text.suffix(1)) ?? 0
            let shard = try await store.acquire(status.key)
            let problems = try await ShardModel(Self.content[number]).problems(in: shard)
            #expect(problems == [], "\(round): \(status.key)")
        }
        await store.close()
        let names = try PackageFolder.files(in: path + "/store/transients")
        #expect(names.allSatisfy { $0.hasSuffix(".complete") }, "\(round): \(names)")
        return answers
    }
}
