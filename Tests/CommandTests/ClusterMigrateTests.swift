import DAGMultiformats
import Foundation
import TestSupport
import Testing

#if Cluster
    @Suite(
        "Migration of Boost's tables",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct ClusterMigrateTests {
        /// A piece of a provider.
        private static let piece =
            "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
        private static let template = "https://boost.example/piece/{piece}?miner={miner}"

        /// The tables as Boost has them since its migrations of August 2023.
        private static let tables = """
            CREATE TABLE PieceTracker (MinerAddr TEXT NOT NULL, PieceCid TEXT NOT NULL,
                CreatedAt TIMESTAMPTZ, UpdatedAt TIMESTAMPTZ, PRIMARY KEY (MinerAddr, PieceCid));
            CREATE TABLE PieceFlagged (MinerAddr TEXT NOT NULL, PieceCid TEXT NOT NULL,
                CreatedAt TIMESTAMPTZ, UpdatedAt TIMESTAMPTZ, HasUnsealedCopy BOOLEAN,
                PRIMARY KEY (MinerAddr, PieceCid));
            """

        /// The tables of the first release.
        private static let firstTables = """
            CREATE TABLE PieceTracker (PieceCid TEXT PRIMARY KEY, CreatedAt TIMESTAMP, UpdatedAt TIMESTAMP);
            CREATE TABLE PieceFlagged (PieceCid TEXT PRIMARY KEY, CreatedAt TIMESTAMP, UpdatedAt TIMESTAMP,
                HasUnsealedCopy BOOLEAN);
            """

        /// A cluster without nodes, and a database of Boost.
        private struct Databases {
            let cluster: String
            let boost: String

            init(_ tables: String = ClusterMigrateTests.tables) async throws {
                let server = try #require(DatabaseServer.current)
                cluster = try server.makeDatabase()
                boost = try server.makeDatabase()
                try #require(
                    try await Command.run(["cluster", "init", "--cluster", cluster]).status == 0
                )
                try fill(tables)
            }

            /// Runs SQL in Boost's database.
            func fill(_ sql: String) throws {
                let name = boost.split(separator: "/").last?.split(separator: "?").first ?? ""
                _ = try #require(DatabaseServer.current).query(sql, in: String(name))
            }

            func migrate(_ arguments: String...) async throws -> Outcome {
                try await Command.run(
                    ["cluster", "migrate", boost, "--cluster", cluster, "--format", "json"]
                        + arguments
                )
            }

            /// The lines of `cluster shards`.
            func shards() async throws -> [JSON] {
                let list = ["cluster", "shards", "--cluster", cluster, "--format", "json"]
                return try await Command.run(list).objects
            }
        }

        /// The CIDs of some blocks, in order.
        private func cids(_ count: Int) -> [String] {
            CARBuilder.uniform(sections: count, blockSize: 8, seed: 1).blocks.map { "\($0.cid)" }
                .sorted()
        }

        @Test("each piece becomes a shard; a second run finds them", .timeLimit(.minutes(10)))
        func pieces() async throws {
            let databases = try await Databases()
            let other = cids(1)[0]
            try databases.fill(
                """
                INSERT INTO PieceTracker VALUES ('f01000', '\(Self.piece)', now(), now()),
                    ('f01000', '\(other)', now(), now()), ('f02000', '\(Self.piece)', now(), now());
                INSERT INTO PieceFlagged VALUES ('f01000', '\(other)', now(), now(), FALSE);
                """
            )
            let plan = try await databases.migrate(
                "--mount",
                Self.template,
                "--miner",
                "f01000",
                "--plan"
            )
            #expect(plan.status == 0)
            #expect(try await databases.shards().isEmpty)
            let first = try await databases.migrate("--mount", Self.template, "--miner", "f01000")
            #expect(first.status == 0)
            let mount = "https://boost.example/piece/\(Self.piece)?miner=f01000"
            for (outcome, state) in [(plan, "planned"), (first, "registered")] {
                let lines = outcome.objects
                #expect(lines.count == 2)
                let line = lines.first { $0["key"] == .string(Self.piece) }
                #expect(line?["state"] == .string(state))
                #expect(line?["mount"] == .string(mount))
                #expect(line?["error"] == .null)
                #expect(lines.first { $0["key"] == .string(other) }?["state"] == "sealed")
            }
            let shards = try await databases.shards()
            #expect(shards.count == 1)
            #expect(shards.first?["key"] == .string(Self.piece))
            #expect(shards.first?["mount"] == .string(mount))
            let second = try await databases.migrate("--mount", Self.template)
            #expect(second.status == 2)
            #expect(
                second.objects.map { $0["state"] }.filter { $0 == "known" }.count == 1
            )
            // The other provider's copy is elsewhere.
            #expect(second.objects.last?["error"] == "shardExists")
        }

        @Test("tables of the first release have no providers", .timeLimit(.minutes(10)))
        func firstRelease() async throws {
            let databases = try await Databases(Self.firstTables)
            let values = cids(1001).map { "('\($0)', now(), now())" }.joined(separator: ",")
            try databases.fill("INSERT INTO PieceTracker VALUES \(values)")
            let plan = try await databases.migrate("--mount", "/cars/{piece}.car", "--plan")
            #expect(plan.status == 0)
            #expect(plan.objects.map { $0["key"]?.text } == cids(1001))
            let miner = try await databases.migrate(
                "--mount",
                "/cars/{piece}.car",
                "--miner",
                "f01"
            )
            #expect(miner.status == 2)
            #expect(miner.error["code"] == "invalidArgument")
        }

        @Test("hostile rows are skipped, and the others registered", .timeLimit(.minutes(10)))
        func hostile() async throws {
            let databases = try await Databases()
            let long = String(repeating: "a", count: 100_000)
            try databases.fill(
                """
                INSERT INTO PieceTracker VALUES ('f01000', '', now(), now()),
                    ('f01000', '../../etc/passwd', now(), now()),
                    ('f01000', E'a\\nb', now(), now()), ('f01001', '\(Self.piece)', now(), now());
                ALTER TABLE PieceTracker DROP CONSTRAINT piecetracker_pkey;
                INSERT INTO PieceTracker VALUES ('f01000', '\(long)', now(), now());
                """
            )
            let outcome = try await databases.migrate("--mount", Self.template)
            #expect(outcome.status != 0)
            let states = outcome.objects.map { $0["state"]?.text ?? "" }.sorted()
            #expect(states == ["registered", "skipped", "skipped", "skipped", "skipped"])
            #expect(outcome.objects.filter { $0["error"] == .null }.count == 1)
        }

        @Test("another database, template or node is refused", .timeLimit(.minutes(10)))
        func wrong() async throws {
            let databases = try await Databases("SELECT 1")
            let missing = try await databases.migrate("--mount", Self.template)
            #expect(missing.status == 2)
            #expect(missing.error["message"]?.text?.contains("PieceTracker") == true)
            let template = try await databases.migrate("--mount", "https://boost.example/piece")
            #expect(template.status == 2)
            let node = try await databases.migrate("--mount", Self.template, "--on", "nobody")
            #expect(node.status == 2)
            #expect(node.error["message"]?.text?.contains("nobody") == true)
        }
    }
#endif
