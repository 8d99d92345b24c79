import DAGMultiformats
import Foundation
import TestSupport
import Testing

#if Cluster
    @Suite(
        "Verbs of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct ClusterVerbTests {
        /// A cluster without nodes, in a database of a test's own.
        struct Cluster {
            let scene: Scene
            let address: String

            init() async throws {
                scene = try Scene()
                address = try #require(DatabaseServer.current).makeDatabase()
                try #require(try await json("init").status == 0)
            }

            func json(_ arguments: String...) async throws -> Outcome {
                try await json(arguments)
            }

            func json(_ arguments: [String]) async throws -> Outcome {
                try await run(arguments + ["--format", "json"])
            }

            func text(_ arguments: String...) async throws -> Outcome { try await run(arguments) }

            func text(_ arguments: [String]) async throws -> Outcome { try await run(arguments) }

            /// Runs SQL without the program.
            func query(_ sql: String) throws {
                let name = address.split(separator: "/").last?.split(separator: "?").first ?? ""
                _ = try #require(DatabaseServer.current).query(sql, in: String(name))
            }

            private func run(_ arguments: [String]) async throws -> Outcome {
                try await Command.run(
                    ["cluster"] + arguments,
                    environment: ["DAGSTORE_CLUSTER": address],
                    in: scene.folder.url.path
                )
            }
        }

        /// The names of an object's members.
        func names(_ json: JSON?) -> Set<String> {
            guard case .object(let members) = json else { return [] }
            return Set(members.keys)
        }

        // MARK: Addresses

        @Test("without an address, the verbs say how to name one", .timeLimit(.minutes(10)))
        func noAddress() async throws {
            for verb in ["init", "status", "nodes", "shards", "check", "sweep"] {
                let text = try await Command.run(["cluster", verb])
                #expect(text.status == 2)
                #expect(text.out.isEmpty)
                #expect(text.errorText.contains("--cluster or $DAGSTORE_CLUSTER"), "\(verb)")
                let empty = try await Command.run(
                    ["cluster", verb, "--format", "json"],
                    environment: ["DAGSTORE_CLUSTER": ""]
                )
                #expect(empty.status == 2)
                #expect(empty.error["code"] == "invalidArgument")
            }
        }

        @Test(
            "a malformed address is refused, and the error does not quote the password",
            .timeLimit(.minutes(10)),
            arguments: ["postgresql://dag:secret@ho st:x/y", "nonsense:secret"]
        )
        func malformedAddress(address: String) async throws {
            let options = ["cluster", "status", "--cluster", address]
            let json = try await Command.run(options + ["--format", "json"])
            #expect(json.status == 2)
            #expect(json.error["code"] == "invalidArgument")
            let text = try await Command.run(options)
            #expect(text.status == 2)
            for outcome in [json, text] {
                #expect(outcome.out.isEmpty)
                #expect(!outcome.errorText.contains("secret"))
            }
        }

        @Test("an option wins over the environment", .timeLimit(.minutes(10)))
        func option() async throws {
            let cluster = try await Cluster()
            let other = try #require(DatabaseServer.current).makeDatabase()
            let status = try await cluster.json("status", "--cluster", other)
            #expect(status.status == 2)
            #expect(status.error["code"] == "invalidArgument")
            #expect(status.error["message"]?.text?.contains("has no cluster") == true)
            let text = try await cluster.text("status", "--cluster", other)
            #expect(text.errorText.contains("'dagstore cluster init'"))
        }

        // MARK: An empty cluster

        @Test("a database has one cluster", .timeLimit(.minutes(10)))
        func initialize() async throws {
            let cluster = try await Cluster()
            let made = try await cluster.json("status").objects.first?["cluster"]
            let json = try await cluster.json("init")
            #expect(json.status == 2)
            #expect(json.error["code"] == "invalidArgument")
            let text = try await cluster.text("init", "--copies", "3")
            #expect(text.status == 2)
            #expect(text.errorText.contains("--cluster another database"))
            let status = try await cluster.json("status").objects
            #expect(status.first?["cluster"] == made)
            #expect(status.first?["copies"] == 2)
        }

        @Test(
            "a number of copies out of range is refused",
            .timeLimit(.minutes(10)),
            arguments: ["0", "17", "-1", "x"]
        )
        func copies(number: String) async throws {
            let address = try #require(DatabaseServer.current).makeDatabase()
            let outcome = try await Command.run(
                ["cluster", "init", "--copies=\(number)", "--cluster", address, "--format", "json"]
            )
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "invalidArgument")
        }

        @Test(
            "a place of bytes that is none, or that does not answer, makes no cluster",
            .timeLimit(.minutes(10))
        )
        func bytes() async throws {
            let address = try #require(DatabaseServer.current).makeDatabase()
            for (place, code) in [
                ("/folder", "invalidArgument"), ("s3://x", "invalidArgument"),
                ("s3://bucket/prefix", "invalidConfiguration"),
            ] {
                let made = try await Command.run(
                    [
                        "cluster", "init", "--cluster", address, "--bytes", place, "--format",
                        "json",
                    ],
                    environment: ["AWS_ENDPOINT_URL_S3": "nonsense"]
                )
                #expect(made.status == 2)
                #expect(made.error["code"]?.text == code)
            }
            let status = try await Command.run(["cluster", "status", "--cluster", address])
            #expect(status.errorText.contains("has no cluster"))
        }

        @Test("an empty cluster has totals, and no lines", .timeLimit(.minutes(10)))
        func empty() async throws {
            let cluster = try await Cluster()
            let status = try #require(try await cluster.json("status").objects.first)
            #expect(
                names(status) == [
                    "cluster", "copies", "bytesAt", "nodes", "shards", "placements", "blocks",
                    "bytes",
                    "indexBytes", "jobs",
                ]
            )
            #expect(
                status["nodes"] == ["active": 0, "draining": 0, "leaving": 0, "dead": 0, "left": 0]
            )
            #expect(status["shards"] == ["registered": 0, "available": 0, "failed": 0])
            #expect(status["placements"] == ["wanted": 0, "held": 0, "dropped": 0, "indexing": 0])
            #expect(status["jobs"] == 0)
            #expect(status["cluster"]?.text?.count == 32)
            for verb in ["nodes", "shards"] {
                let outcome = try await cluster.json(verb)
                #expect(outcome.status == 0)
                #expect(outcome.out.isEmpty && outcome.errors.isEmpty)
            }
        }

        @Test("a sweep of a new cluster deletes nothing", .timeLimit(.minutes(10)))
        func sweep() async throws {
            let cluster = try await Cluster()
            let json = try await cluster.json("sweep")
            #expect(json.status == 0)
            #expect(json.objects == [["blobs": 0, "bytes": 0, "requests": 0]])
            #expect(try await cluster.text("sweep").text == "deleted 0 blobs of 0 B\n")
        }

        // MARK: Shards

        @Test("a registration without nodes waits as `registered`", .timeLimit(.minutes(10)))
        func register() async throws {
            let cluster = try await Cluster()
            let path = try cluster.scene.write(Sample.car)
            let outcome = try await cluster.json("register", "sample.car", "--no-wait")
            #expect(outcome.status == 0)
            let shards = try await cluster.json("shards")
            #expect(shards.text == outcome.text)
            let shard = try #require(shards.objects.first)
            #expect(
                names(shard) == [
                    "key", "state", "mount", "remote", "node", "blocks", "bytes", "indexBytes",
                    "epoch", "error", "errorMessage", "placements",
                ]
            )
            #expect(shard["key"] == "sample")
            #expect(shard["state"] == "registered")
            #expect(shard["mount"]?.text == "file://" + path)
            #expect(shard["node"] == .null && shard["error"] == .null)
            #expect(shard["placements"] == .array([]))
            let one = try await cluster.json("shards", "--key", "sample")
            #expect(one.text == shards.text)
            let status = try await cluster.json("status").objects.first
            #expect(status?["shards"]?["registered"] == 1)
            #expect(status?["jobs"] == 1)
            #expect(try await cluster.text("shards").text.contains("  registered  file://"))
        }

        @Test(
            "a key has one shard; the other sources of the call are registered",
            .timeLimit(.minutes(10))
        )
        func existingKey() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            _ = try cluster.scene.write(Sample.car, to: "other.car")
            let first = try await cluster.json("register", "sample.car", "--no-wait")
            #expect(first.status == 0)
            let again = try await cluster.json("register", "sample.car", "other.car", "--no-wait")
            #expect(again.status == 2)
            #expect(again.error["code"] == "shardExists")
            #expect(again.error["shard"] == "sample")
            #expect(again.objects.map { $0["key"] } == ["other"])
            let text = try await cluster.text("register", "sample.car", "--no-wait")
            #expect(text.status == 2)
            #expect(text.errorText.contains("'dagstore cluster destroy sample'"))
            let keys = try await cluster.json("shards").objects.map { $0["key"] }
            #expect(keys == ["sample", "other"])
        }

        @Test("a destroyed shard is gone, with its job", .timeLimit(.minutes(10)))
        func destroy() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            #expect(try await cluster.json("register", "sample.car", "--no-wait").status == 0)
            let outcome = try await cluster.json("destroy", "sample")
            #expect(outcome.status == 0)
            #expect(outcome.objects == [["key": "sample", "state": "destroyed", "error": nil]])
            #expect(try await cluster.json("shards").out.isEmpty)
            #expect(try await cluster.json("status").objects.first?["jobs"] == 0)
            // The key is free again.
            #expect(try await cluster.json("register", "sample.car", "--no-wait").status == 0)
        }

        @Test(
            "an unknown shard exits with 3",
            .timeLimit(.minutes(10)),
            arguments: [
                ["destroy", "none"], ["recover", "none"], ["shards", "--key", "none"],
                ["relocate", "none", "sample.car"],
            ]
        )
        func unknownShard(arguments: [String]) async throws {
            let cluster = try await Cluster()
            let json = try await cluster.json(arguments)
            #expect(json.status == 3)
            #expect(json.out.isEmpty)
            #expect(json.error["code"] == "shardUnknown")
            #expect(json.error["shard"] == "none")
            let text = try await cluster.text(arguments)
            #expect(text.errorText.contains("'dagstore cluster shards'"))
        }

        @Test("a sound shard needs no recovery", .timeLimit(.minutes(10)))
        func recover() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            #expect(try await cluster.json("register", "sample.car", "--no-wait").status == 0)
            let outcome = try await cluster.json("recover", "sample")
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "notFailed")
        }

        // MARK: Nodes and blocks

        @Test("an unknown node is refused", .timeLimit(.minutes(10)))
        func unknownNode() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            for arguments in [
                ["drain", "none"], ["forget", "none"], ["register", "sample.car", "--on", "none"],
            ] {
                let json = try await cluster.json(arguments)
                #expect(json.status == 2)
                #expect(json.error["code"] == "invalidArgument")
                let text = try await cluster.text(arguments)
                #expect(text.errorText.contains("'dagstore cluster nodes'"))
            }
            #expect(try await cluster.json("shards").out.isEmpty)
        }

        @Test(
            "a node that does not run is not waited for, and can be removed",
            .timeLimit(.minutes(10))
        )
        func deadNode() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            try cluster.query(
                """
                INSERT INTO dagstore_nodes VALUES (decode(md5('n'), 'hex'), 1, 'n1', '', 1, 0, 'x',
                    now() - interval '1 hour', now() - interval '1 hour')
                """
            )
            let waiting = try await cluster.json("register", "sample.car", "--on", "n1")
            #expect(waiting.status == 4)
            #expect(waiting.error["code"] == "mountUnreachable")
            #expect(try await cluster.json("shards").out.isEmpty)
            let added = try await cluster.json("register", "sample.car", "--on", "n1", "--no-wait")
            #expect(added.status == 0)
            let refused = try await cluster.json("forget", "n1")
            #expect(refused.status == 2)
            #expect(refused.error["message"]?.text?.contains("\"sample\"") == true)
            let forced = try await cluster.json("forget", "n1", "--force")
            #expect(forced.status == 0)
            let object = try #require(forced.objects.first)
            #expect(names(object) == ["node", "name", "state", "failed"])
            #expect(object["state"] == "forgotten" && object["failed"] == 1)
            #expect(try await cluster.json("nodes").out.isEmpty)
            let shard = try #require(try await cluster.json("shards").objects.first)
            #expect(shard["state"] == "failed" && shard["error"] == "mountGone")
            // Another mount brings it back.
            let path = try cluster.scene.write(Sample.car, to: "other.car")
            let moved = try await cluster.json("relocate", "sample", "other.car", "--no-wait")
            #expect(moved.status == 0)
            #expect(moved.objects.first?["mount"]?.text == "file://" + path)
            #expect(moved.objects.first?["state"] == "registered")
            #expect(moved.objects.first?["node"] == .null)
        }

        @Test("a block that no shard has exits with 3", .timeLimit(.minutes(10)))
        func absentBlock() async throws {
            let cluster = try await Cluster()
            let json = try await cluster.json("find", Sample.absent.description)
            #expect(json.status == 3)
            #expect(json.out.isEmpty)
            #expect(json.error["code"] == "blockNotFound")
            let text = try await cluster.text("find", Sample.identity.cid.description)
            #expect(text.status == 3)
            #expect(text.errorText.contains("its block is in the CID"))
            #expect(text.errorText.contains("'dagstore cluster register'"))
            #expect(try await cluster.json("find", "no CID").status == 2)
        }
    }
#else
    @Suite("Verbs of a cluster")
    struct ClusterVerbTests {
        @Test("a build without the trait Cluster says which build knows clusters")
        func notBuiltIn() async throws {
            let json = try await Command.run(["cluster", "status", "--format", "json"])
            #expect(json.status == 2)
            #expect(json.error["code"] == "notBuiltIn")
            let text = try await Command.run(["cluster", "init"])
            #expect(text.status == 2)
            #expect(text.errorText.contains("'make release' or 'swift build --traits Cluster'"))
        }
    }
#endif
