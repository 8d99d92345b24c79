#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Waits until a moment that a seed chose: between two steps, or while a fault lasts.
    func untilMoment(_ moment: ContinuousClock.Instant) async {
        await eventually { ContinuousClock.now >= moment }
    }

    /// How a client changes the cluster.
    enum SoakDoor: Sendable {
        /// By the library.
        case library(ClusterDatabase)
        /// By the program, with this address.
        case program(String)
    }

    /// A client that does one random thing after the other.
    struct SoakClient {
        let name: String
        let scene: SoakScene
        let door: SoakDoor
        /// Good CARs, and one that is none.
        let cars: [SoakCAR]
        /// Shards that nothing changes, and that all nodes reach.
        let lasting: [SoakCAR]
        let began: ContinuousClock.Instant
        var generator: SplitMix64

        private var history: ClusterHistory { scene.history }

        /// Clients meet at few keys, and take new ones every few seconds, so that histories stay short.
        private mutating func key() -> String {
            let windows = began.duration(to: .now) / .seconds(4)
            let window = max(0, Int(windows) - Int.random(in: 0...1, using: &generator))
            return "w\(window)-\(Int.random(in: 0..<5, using: &generator))"
        }

        mutating func run(until end: ContinuousClock.Instant) async throws {
            while .now < end {
                switch Int.random(in: 0..<100, using: &generator) {
                case 0..<45: try await register()
                case 45..<60: try await destroy()
                case 60..<70: try await read()
                case 70..<75: try await recover()
                case 75..<85: try await find()
                default: try await fetch()
                }
                await untilMoment(.now + .milliseconds(Int.random(in: 5...50, using: &generator)))
            }
        }

        // MARK: Changes

        private mutating func register() async throws {
            let key = key()
            guard let car = cars.randomElement(using: &generator) else { return }
            let reach: SoakNode? =
                Int.random(in: 0..<5, using: &generator) == 0
                ? scene.nodes.randomElement(using: &generator) : nil
            let invoked = history.now()
            let outcome = try await register(key, car.url, reach)
            history.record(name, key, .register(car.url), since: invoked, outcome)
        }

        private func register(
            _ key: String,
            _ url: String,
            _ reach: SoakNode?
        ) async throws -> HistoryOperation.Outcome {
            switch door {
            case .library(let database):
                let node = try reach.flatMap { Array(hexadecimal: try $0.number(), count: 16) }
                return try await outcome(refusedWith: .shardExists) {
                    _ = try await database.register(ShardKey(key), from: MountURL(url), reach: node)
                }
            case .program(let address):
                let place = try reach.map { ["--on", try $0.number()] } ?? []
                let arguments = ["register", url, "--key", key, "--no-wait"] + place
                let answer = try await program(arguments, address)
                switch answer.status {
                case 0: return .done
                // Another client destroyed the shard before the program printed it.
                case 3 where answer.errors.contains("\"shardUnknown\""): return .done
                case 2 where answer.errors.contains("\"shardExists\""): return .refused
                default: return unanswered(answer)
                }
            }
        }

        private mutating func destroy() async throws {
            let key = key()
            let invoked = history.now()
            let outcome: HistoryOperation.Outcome
            switch door {
            case .library(let database):
                outcome = try await self.outcome(refusedWith: .shardUnknown) {
                    try await database.destroy(ShardKey(key))
                }
            case .program(let address):
                let answer = try await program(["destroy", key], address)
                switch answer.status {
                case 0: outcome = .done
                case 3: outcome = .refused
                default: outcome = unanswered(answer)
                }
            }
            history.record(name, key, .destroy, since: invoked, outcome)
        }

        private func outcome(
            refusedWith code: DAGStoreError.Code,
            _ body: () async throws -> Void
        ) async throws -> HistoryOperation.Outcome {
            do {
                try await body()
                return .done
            } catch let error as DAGStoreError where error.code == code {
                return .refused
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                return .unknown
            }
        }

        private func program(
            _ arguments: [String],
            _ address: String
        ) async throws -> (status: Int32, text: String, errors: String) {
            try await NodeProcess.run(
                ["cluster"] + arguments + ["--format", "json"],
                environment: ["DAGSTORE_CLUSTER": address]
            )
        }

        private func unanswered(
            _ answer: (status: Int32, text: String, errors: String)
        ) -> HistoryOperation.Outcome {
            if answer.status != 6 || !answer.errors.contains("\"catalogUnreachable\"") {
                history.fault("\(name): status \(answer.status), \(answer.errors)")
            }
            return .unknown
        }

        private mutating func recover() async throws {
            guard case .library(let database) = door else { return }
            let key = key()
            let invoked = history.now()
            do {
                try await database.recover(ShardKey(key))
                history.count("recover answered")
            } catch let error as DAGStoreError where error.code == .shardUnknown {
                history.record(name, key, .read, since: invoked, .found(nil))
            } catch let error as DAGStoreError
                where [.notFailed, .catalogUnreachable].contains(error.code)
            {
                // Neither says which CAR the key has.
            }
        }

        // MARK: Reads

        private mutating func read() async throws {
            let key = key()
            let database: ClusterDatabase
            switch door {
            case .library(let own): database = own
            case .program: database = scene.database
            }
            let invoked = history.now()
            do {
                let shard = try await database.shard(ShardKey(key))
                history.record(name, key, .read, since: invoked, .found(shard?.mountURL))
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                history.record(name, key, .read, since: invoked, .unknown)
            }
        }

        /// Looks for a block with a finder that knows nothing yet.
        private mutating func find() async throws {
            guard case .library(let database) = door,
                let car = (cars + lasting).randomElement(using: &generator),
                let block = car.blocks.randomElement(using: &generator)
            else { return }
            let invoked = history.now()
            do {
                let found = try await ClusterFinder(scene.facts, in: database)
                    .shards(containing: block.cid.multihash)
                for placed in found where placed.shard.key.text.hasPrefix("w") {
                    let url = placed.shard.mountURL
                    history.record(
                        name,
                        placed.shard.key.text,
                        .read,
                        since: invoked,
                        .found(url)
                    )
                }
                history.count("finds answered")
                let isFound = found.contains { $0.shard.mountURL == car.url }
                if !isFound, lasting.contains(where: { $0.url == car.url }) {
                    history.fault("\(name): a find of \(block.cid) missed \(car.url)")
                }
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                history.count("finds without an answer")
            }
        }

        /// Fetches a block of a lasting shard from any node, which may send the client on.
        private mutating func fetch() async throws {
            guard let car = lasting.randomElement(using: &generator),
                let block = car.blocks.randomElement(using: &generator),
                let node = scene.nodes.randomElement(using: &generator), let place = node.place
            else { return }
            do {
                let answer = try await scene.fetch(block.cid, from: place.url, by: scene.follower)
                history.count("fetches with status \(answer.status)")
                // A node says "not here" only if no node has it.
                if answer.status == 404 || (answer.status == 200 && answer.bytes != block.data) {
                    history.fault(
                        "\(name): \(node.name) answered \(answer.status) for \(block.cid)"
                    )
                }
            } catch {
                // The node, or the one that it named, ended meanwhile.
                history.count("fetches without an answer")
            }
        }
    }
#endif
