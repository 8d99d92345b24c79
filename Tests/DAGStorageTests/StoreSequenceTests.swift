import DAGCAR
import DAGMounts
import DAGStorage
import TestSupport
import Testing

/// A store against a dictionary, over long random sequences of operations.
@Suite("Sequences of operations")
struct StoreSequenceTests {
    /// A CAR of the pool.
    private struct Source: Sendable {
        let mount: DAGMounts.FileMount
        let model: ShardModel
        /// How its registration fails, if it does.
        let code: DAGStoreError.Code?
    }

    /// What is known of a key.
    private struct Known {
        let source: Int
        var leases: [Shard] = []
    }

    private static func sources(_ folder: StoreFolder, seed: UInt64) throws -> [Source] {
        var sources = try CARShape.allCases.enumerated().map { number, shape in
            let builder = shape.builder(seed: seed &+ UInt64(number))
            let mount = try folder.mount(shape.bytes(of: builder), named: "\(number).car")
            return Source(mount: mount, model: shape.model(of: builder), code: nil)
        }
        let bad: [([UInt8], DAGStoreError.Code)] = [
            ([], .truncated), ([0x80, 0], .malformedCAR),
            (CARHeader.encoded(roots: []) + [9, 1, 2], .truncated),
        ]
        for (number, (bytes, code)) in bad.enumerated() {
            let mount = try folder.mount(bytes, named: "bad\(number)")
            sources.append(Source(mount: mount, model: ShardModel(CARBuilder()), code: code))
        }
        return sources
    }

    @Test(
        "whatever is done in whatever order, the store answers as the model",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func sequence(seed: UInt64) async throws {
        let folder = try StoreFolder()
        let sources = try Self.sources(folder, seed: seed)
        var run = Run(store: try folder.open(), sources: sources, seed: seed)
        for step in 0..<300 {
            switch Int.random(in: 0..<100, using: &run.generator) {
            case 0..<35: try await run.register(step)
            case 35..<55: try await run.destroy(step)
            case 55..<80: try await run.acquire(step)
            case 80..<95: run.release()
            default:
                await run.close()
                run.store = try folder.open {
                    $0.mapping = step % 2 == 0 ? .whenPossible : .never
                    $0.pagePolicy = [.smallest, .zstd, .direct][step % 3]
                    $0.idleShardsMax = step % 4
                }
            }
            try run.check(step)
        }
        await run.close()
    }

    /// A store, and what must be in it.
    private struct Run {
        var store: DAGStore
        let sources: [Source]
        let seed: UInt64
        var generator: SplitMix64
        var known: [String: Known] = [:]
        var order: [String] = []

        init(store: DAGStore, sources: [Source], seed: UInt64) {
            self.store = store
            self.sources = sources
            self.seed = seed
            generator = SplitMix64(seed: seed)
        }

        private mutating func randomKey() -> String {
            "key/\(Int.random(in: 0..<8, using: &generator))"
        }

        mutating func register(_ step: Int) async throws {
            let key = randomKey()
            let number = Int.random(in: sources.indices, using: &generator)
            let source = sources[number]
            let expected: DAGStoreError.Code? = known[key] == nil ? source.code : .shardExists
            let code = await Self.code { try await store.register(key, source.mount) }
            #expect(code == expected, "seed \(seed), step \(step)")
            guard known[key] == nil else { return }
            known[key] = Known(source: number)
            order.append(key)
        }

        mutating func destroy(_ step: Int) async throws {
            let key = randomKey()
            let leases = known[key]?.leases.count
            let expected: DAGStoreError.Code? =
                leases == nil ? .shardUnknown : leases == 0 ? nil : .shardInUse
            let code = await Self.code { try await store.destroy(key) }
            #expect(code == expected, "seed \(seed), step \(step)")
            guard leases == 0 else { return }
            known[key] = nil
            order.removeAll { $0 == key }
        }

        mutating func acquire(_ step: Int) async throws {
            let key = randomKey()
            let source = known[key].map { sources[$0.source] }
            do {
                let shard = try await store.acquire(key)
                let source = try #require(source)
                #expect(source.code == nil, "seed \(seed), step \(step)")
                let problems = try await source.model.problems(in: shard, seed: UInt64(step))
                #expect(problems == [], "seed \(seed), step \(step)")
                known[key]?.leases.append(shard)
            } catch let error as DAGStoreError {
                let expected = source == nil ? .shardUnknown : source?.code
                #expect(error.code == expected, "seed \(seed), step \(step)")
            }
        }

        mutating func release() {
            let key = randomKey()
            known[key]?.leases.popLast()?.release()
        }

        mutating func close() async {
            for key in known.keys { known[key]?.leases = [] }
            await store.close()
        }

        func check(_ step: Int) throws {
            #expect(store.keys == order, "seed \(seed), step \(step)")
            let statistics = try store.statistics()
            let good = known.values.filter { sources[$0.source].code == nil }
            #expect(statistics.shards == UInt64(known.count), "seed \(seed), step \(step)")
            #expect(statistics.available == UInt64(good.count), "seed \(seed), step \(step)")
            #expect(statistics.failed == UInt64(known.count - good.count))
            #expect(statistics.leases == known.values.reduce(0) { $0 + $1.leases.count })
            let blocks = good.reduce(0) { $0 + sources[$1.source].model.builder.blocks.count }
            #expect(statistics.blocks == UInt64(blocks), "seed \(seed), step \(step)")
            for status in try store.allStatuses() {
                let expected = try #require(known[status.key.text])
                let code = sources[expected.source].code
                #expect(status.references == expected.leases.count)
                let state: ShardStatus.State =
                    code != nil ? .failed : expected.leases.isEmpty ? .available : .serving
                #expect(status.state == state, "seed \(seed), step \(step)")
                #expect(status.error?.code == code)
            }
        }

        private static func code<R>(_ body: () async throws -> R) async -> DAGStoreError.Code? {
            do {
                _ = try await body()
                return nil
            } catch {
                return DAGStoreError(any: error).code
            }
        }
    }
}
