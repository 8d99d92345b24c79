#if Cluster
    import Testing

    @testable import DAGCluster

    @Suite("The choice of nodes")
    struct PlacingTests {
        private static func node(_ number: UInt8) -> [UInt8] {
            [UInt8](repeating: number, count: 16)
        }

        private static func candidates(_ numbers: ClosedRange<UInt8>) -> [Rendezvous.Candidate] {
            numbers.map { Rendezvous.Candidate(id: node($0), capacity: 1) }
        }

        @Test("a node that comes takes its share, and nothing else moves")
        func addition() {
            let before = Self.candidates(1...9)
            let after = Self.candidates(1...10)
            var moved = 0
            for shard in 0..<UInt32(10_000) {
                let old = Rendezvous.nodes(for: shard, count: 2, of: before)
                let new = Rendezvous.nodes(for: shard, count: 2, of: after)
                #expect(old.count == 2 && Set(old).count == 2)
                let gained = Set(new).subtracting(old)
                #expect(gained.isSubset(of: [Self.node(10)]))
                moved += gained.count
            }
            // A tenth of 20,000 copies.
            #expect((1_800...2_200).contains(moved), "\(moved) moved")
        }

        @Test("a node gets shards by its capacity")
        func capacities() {
            let nodes = [
                Rendezvous.Candidate(id: Self.node(1), capacity: 1),
                Rendezvous.Candidate(id: Self.node(2), capacity: 3),
            ]
            let firsts = (0..<UInt32(20_000)).filter {
                Rendezvous.nodes(for: $0, count: 1, of: nodes) == [Self.node(2)]
            }
            #expect((14_500...15_500).contains(firsts.count), "\(firsts.count) of 20,000")
        }

        @Test("the order of the nodes changes nothing")
        func order() {
            let nodes = Self.candidates(1...5)
            for shard in 0..<UInt32(100) {
                #expect(
                    Rendezvous.nodes(for: shard, count: 3, of: nodes)
                        == Rendezvous.nodes(for: shard, count: 3, of: nodes.reversed())
                )
            }
        }

        // All programs of a cluster must choose alike, so these never change.
        @Test("the choice is the same in every release")
        func golden() {
            let nodes = Self.candidates(1...7)
            let chosen = (0..<UInt32(12)).map { shard in
                Rendezvous.nodes(for: shard, count: 2, of: nodes).map { $0[0] }
            }
            #expect(chosen == Self.chosen)
        }

        private static let chosen: [[UInt8]] = [
            [3, 1], [6, 3], [1, 6], [4, 1], [7, 5], [2, 3], [6, 4], [4, 6], [4, 3], [7, 5], [6, 3],
            [4, 6],
        ]

        @Test(
            "the logarithm agrees with known values",
            arguments: [
                (1.0, 0.0), (0.5, -0.693_147_180_559_945_3), (0.1, -2.302_585_092_994_046),
                (1.5, 0.405_465_108_108_164_4), (1e-16, -36.841_361_487_904_73),
                (10.0, 2.302_585_092_994_046),
            ]
        )
        func logarithm(number: Double, expected: Double) {
            let found = Logarithm.natural(of: number)
            #expect(abs(found - expected) <= 1e-14 * max(1, abs(expected)), "\(found)")
        }

        // MARK: Plans

        private static let (a, b, c, d) = (node(1), node(2), node(3), node(4))

        private static func plan(
            _ wanted: [[UInt8]],
            _ present: [[UInt8]: Placement.State],
            copies: Int = 2,
            alive: Set<[UInt8]> = [a, b, c, d]
        ) -> PlacementPlan {
            PlacementPlan(wanted: wanted, copies: copies, present: present, alive: alive)
        }

        @Test("missing copies are wanted; those to destroy come back")
        func adding() {
            #expect(Self.plan([Self.a, Self.b], [:]).adding == [Self.a, Self.b])
            #expect(Self.plan([Self.a, Self.b], [Self.a: .held]).adding == [Self.b])
            #expect(Self.plan([Self.a], [Self.a: .dropped]).adding == [Self.a])
            #expect(Self.plan([Self.a], [Self.a: .wanted]).adding == [])
        }

        @Test("a copy goes only when all wanted ones are there")
        func dropping() {
            let moving = Self.plan(
                [Self.a, Self.b],
                [Self.a: .held, Self.b: .wanted, Self.c: .held]
            )
            #expect(moving.dropping == [])
            let moved = Self.plan([Self.a, Self.b], [Self.a: .held, Self.b: .held, Self.c: .held])
            #expect(moved.dropping == [Self.c])
            #expect(moved.adding == [])
        }

        @Test("a copy that was never made goes at once, one on a dead node later")
        func unmade() {
            let present: [[UInt8]: Placement.State] = [Self.a: .wanted, Self.c: .wanted]
            #expect(Self.plan([Self.a], present).dropping == [Self.c])
            #expect(Self.plan([Self.a], present, alive: [Self.a]).dropping == [])
        }

        @Test("with fewer nodes than copies, each copy stays")
        func fewNodes() {
            #expect(
                Self.plan([Self.a], [Self.a: .held, Self.b: .held], alive: [Self.a]).dropping == []
            )
            let one = Self.plan([Self.a], [Self.a: .held, Self.b: .held], copies: 1)
            #expect(one.dropping == [Self.b])
        }

        @Test("an indexing that another node overtook becomes a copy, or goes")
        func overtaken() {
            #expect(Self.plan([Self.a], [Self.a: .indexing]).adding == [Self.a])
            #expect(Self.plan([Self.a], [Self.c: .indexing]).dropping == [Self.c])
        }

        @Test("without a node that may have the shard, its copies stay")
        func nobody() {
            #expect(Self.plan([], [Self.c: .held]).dropping == [])
        }
    }
#endif
