#if Cluster && Node
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Random faults, each of which ends before the next one begins.
    struct SoakFaults {
        let scene: SoakScene
        /// The most nodes.
        let nodesMax: Int
        var generator: SplitMix64

        private var history: ClusterHistory { scene.history }

        private mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
            .milliseconds(Int.random(in: range, using: &generator))
        }

        // MARK: Nodes

        /// Kills, stops, ends and drains nodes, and adds new ones.
        mutating func troubleNodes(until end: ContinuousClock.Instant) async throws {
            while .now < end {
                guard let node = scene.nodes.randomElement(using: &generator) else { return }
                switch Int.random(in: 0..<10, using: &generator) {
                case 0..<4:
                    history.count("nodes killed")
                    await node.kill()
                    await untilMoment(.now + milliseconds(0...4500))
                    try await node.start()
                case 4..<6:
                    // The node sleeps through its leases, and wakes up late.
                    history.count("nodes stopped")
                    node.send(SIGSTOP)
                    await untilMoment(.now + milliseconds(500...5000))
                    node.send(SIGCONT)
                case 6:
                    history.count("nodes ended")
                    let status = await node.terminate()
                    if status != 0 {
                        history.fault("\(node.name) ended with \(status ?? -1): \(node.log)")
                    }
                    await untilMoment(.now + milliseconds(0...2000))
                    try await node.start()
                case 7 where scene.nodes.count < nodesMax:
                    history.count("nodes added")
                    try await scene.addNode()
                default:
                    history.count("nodes drained")
                    let id = try #require(Array(hexadecimal: try node.number(), count: 16))
                    try await setState(.draining, of: id)
                    await untilMoment(.now + milliseconds(500...3000))
                    try await setState(.active, of: id)
                }
                await untilMoment(.now + milliseconds(100...1500))
            }
        }

        private func setState(_ state: ClusterNode.State, of id: [UInt8]) async throws {
            #expect(try await scene.database.setState(state, of: id))
        }

        // MARK: The database

        /// Cuts, delays and drops what goes between the database and the others, and kills the database.
        mutating func troubleDatabase(until end: ContinuousClock.Instant) async throws {
            while .now < end {
                let proxies = scene.nodes.map(\.proxy) + [scene.proxy, scene.proxy]
                guard let proxy = proxies.randomElement(using: &generator) else { return }
                switch Int.random(in: 0..<12, using: &generator) {
                case 0..<3:
                    history.count("commits whose answers were cut off")
                    proxy.inject(
                        .cutAfter("COMMIT"),
                        times: Int.random(in: 1...5, using: &generator)
                    )
                case 3..<5:
                    history.count("commits that were cut off")
                    proxy.inject(
                        .cutBefore("COMMIT"),
                        times: Int.random(in: 1...5, using: &generator)
                    )
                case 5:
                    history.count("connections dropped")
                    proxy.inject(.stall, times: Int.random(in: 1...3, using: &generator))
                case 6..<8:
                    history.count("connections delayed")
                    proxy.delay(by: milliseconds(20...400))
                    await untilMoment(.now + milliseconds(500...2000))
                    proxy.delay(by: nil)
                case 8:
                    history.count("nodes or clients cut off")
                    proxy.close()
                    await untilMoment(.now + milliseconds(500...5000))
                    proxy.open()
                case 9:
                    history.count("databases killed")
                    scene.server.stop(SIGKILL)
                    await untilMoment(.now + milliseconds(0...1500))
                    try await scene.server.startAfterKill()
                default:
                    history.count("connections cut")
                    proxy.cutAll()
                }
                await untilMoment(.now + milliseconds(100...800))
                proxy.inject(.none, times: 0)
            }
        }
    }
#endif
