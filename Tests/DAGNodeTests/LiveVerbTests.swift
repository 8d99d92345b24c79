#if Node
    import Foundation
    import TestSupport
    import Testing

    /// Verbs on a store that a node has open.
    @Suite("Verbs on a live node", .timeLimit(.minutes(5)))
    struct LiveVerbTests {
        /// A folder with CARs and a store of its own.
        private final class Place {
            let folder: TemporaryFolder
            var store: String { folder.path(of: "store") }
            /// The folder with a slash.
            var path: String { folder.path(of: "") + "/" }

            init() throws {
                folder = try TemporaryFolder()
                for (name, seed) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
                    let car = CARBuilder.uniform(sections: 5, blockSize: 1000, seed: UInt64(seed))
                    _ = try folder.write(car.bytes, to: "\(name).car")
                }
                _ = try folder.write(Array("no CAR".utf8), to: "junk.car")
            }

            func run(_ arguments: [String]) async throws -> Outcome {
                let all = arguments.map { $0.replacing("%", with: path) }
                let end = try await NodeProcess.run(all + ["--store", store])
                return Outcome(
                    status: end.status,
                    text: comparable(end.text),
                    errors: comparable(end.errors)
                )
            }

            /// Removes what differs between two places and two runs: the folder, times and process numbers.
            private func comparable(_ text: String) -> String {
                text.replacing(path, with: "%")
                    .replacing(#/"seconds":[0-9.]+/#, with: "\"seconds\":0")
                    .replacing(#/ *[0-9.]+ (ms|s)\b/#, with: " 0 s")
            }
        }

        private struct Outcome: Equatable {
            var status: Int32
            var text: String
            var errors: String
        }

        /// Every verb that writes, with what it takes, in an order that makes sense.
        private static let verbs: [[String]] = [
            ["register", "%a.car", "%b.car", "--format", "json"],
            ["register", "%a.car"],
            ["register", "%junk.car", "--format", "json"],
            ["register", "%junk.car", "--key", "junk2"],
            ["register", "%nothing.car"],
            ["register", "%c.car", "--lazy", "--key", "lazy/key \u{e9}"],
            ["register", "%d.car", "--key", ""],
            ["register"],
            ["register", "%a.car", "--unknown"],
            ["initialize", "lazy/key \u{e9}", "--format", "json"],
            ["initialize", "nothing"],
            ["recover", "a"],
            ["recover", "nothing", "--format", "json"],
            ["recover", "--failed"],
            ["recover", "--all", "--format", "json"],
            ["relocate", "b", "%b.car"],
            ["relocate", "b", "%c.car"],
            ["relocate", "b", "--remote", "copy", "--format", "json"],
            ["relocate", "--map", "%=%"],
            ["gc", "--format", "json"],
            ["gc", "--quota", "x"],
            ["check", "--repair"],
            ["check", "--repair", "--deep", "--format", "json"],
            ["register", "%d.car", "--lazy"],
            ["initialize-all"],
            ["initialize-all", "--concurrency", "0"],
            ["destroy", "b"],
            ["destroy", "b", "--format", "json"],
            ["migrate", "run", "%nowhere"],
            ["list", "--format", "json"],
            ["stats", "--help"],
            ["check"],
        ]

        @Test("every verb prints the same and ends the same, with a node and without")
        func same() async throws {
            let (alone, live) = (try Place(), try Place())
            // A node serves a store that is there.
            #expect(try await alone.run(["register", "%d.car", "--key", "first"]).status == 0)
            #expect(try await live.run(["register", "%d.car", "--key", "first"]).status == 0)
            let node = try NodeProcess([
                "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
            ])
            _ = try #require(await node.url(), "\(node.errorText)")
            for verb in Self.verbs {
                let expected = try await alone.run(verb)
                let found = try await live.run(verb)
                #expect(found == expected, "\(verb.joined(separator: " "))")
            }
            // The node ran the verbs itself.
            #expect(node.errorText.contains("target=/v1/verbs"))
            node.send(SIGTERM)
            #expect(await node.end() == 0, "\(node.errorText)")
            let check = try await live.run(["check"])
            #expect(check.status == 0, "\(check)")
        }

        @Test("a verb about another store, and limits above the node's, are refused")
        func refused() async throws {
            let (live, other) = (try Place(), try Place())
            #expect(try await live.run(["register", "%d.car"]).status == 0)
            let node = try NodeProcess([
                "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
                "--max-section", "1MiB",
            ])
            _ = try #require(await node.url(), "\(node.errorText)")
            let large = try await live.run(["register", "%a.car", "--max-section", "100MiB"])
            #expect(large.status == 2)
            #expect(large.errors.contains("give 'dagstore serve' the larger limits"), "\(large)")
            // A link to the store is the store.
            let link = other.folder.path(of: "link")
            try FileManager.default.createSymbolicLink(
                atPath: link,
                withDestinationPath: live.store
            )
            let linked = try await NodeProcess.run([
                "register", live.folder.path(of: "b.car"), "--store", link,
                "--max-section", "1MiB",
            ])
            #expect(linked.status == 0, "\(linked.errors)")
            node.send(SIGTERM)
            #expect(await node.end() == 0)
        }

        @Test("relative paths are those of the client, and its output file is where it is")
        func relative() async throws {
            let live = try Place()
            #expect(try await live.run(["register", "%d.car"]).status == 0)
            let node = try NodeProcess([
                "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
            ])
            _ = try #require(await node.url(), "\(node.errorText)")
            let link = live.folder.path(of: "a.car")
            // From any folder, enough steps up lead to the root.
            let up = String(repeating: "../", count: 40) + link.dropFirst()
            let outcome = try await live.run(["register", up, "--key", "up"])
            #expect(outcome.status == 0, "\(outcome)")
            let list = try await live.run(["list", "--format", "json"])
            #expect(list.text.contains("\"mount\":\"file://%a.car\""), "\(list.text)")
            node.send(SIGTERM)
            #expect(await node.end() == 0)
        }

        @Test("a client that is killed in the middle of a verb harms no node")
        func killedClient() async throws {
            let live = try Place()
            for number in 0..<60 {
                let key = ["--key", "k\(number)"]
                #expect(try await live.run(["register", "%a.car", "--lazy"] + key).status == 0)
            }
            let node = try NodeProcess([
                "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
            ])
            _ = try #require(await node.url(), "\(node.errorText)")
            let client = try NodeProcess(["initialize-all", "--store", live.store])
            await eventually { !client.text.isEmpty }
            client.send(SIGKILL)
            _ = await client.end()
            #expect(try await live.run(["gc"]).status == 0)
            node.send(SIGTERM)
            #expect(await node.end() == 0, "\(node.errorText)")
        }

        @Test(
            "an export that must fetch a shard first prints each byte once",
            arguments: [false, true]
        )
        func export(hasNode: Bool) async throws {
            let live = try Place()
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
            let source = try live.folder.write(bytes, to: "file")
            let whole = live.folder.path(of: "whole.car")
            let created = try await NodeProcess.run(
                ["car", "create", source, "-o", whole, "--chunk", "1024", "--format", "json"]
            )
            let root = try #require(created.text.firstMatch(of: #/baf[a-z0-9]+/#)).output
            let car = try Array(Data(contentsOf: URL(filePath: whole)))
            let server = try await ScriptedServer { ScriptedServer.serve(car, $0) }
            // The root is here, and the rest of the DAG must be fetched.
            let first = live.folder.path(of: "root.car")
            #expect(try await live.run(["register", whole]).status == 0)
            let cut = ["export", "\(root)", "--scope", "block", "-o", first]
            #expect(try await live.run(cut).status == 0)
            let expected = try await live.run(["export", "\(root)"])
            #expect(try await live.run(["destroy", "whole"]).status == 0)
            #expect(try await live.run(["register", first]).status == 0)
            let far = ["register", server.url + "/far.car", "--remote", "copy", "--allow-private"]
            #expect(try await live.run(far).status == 0)
            #expect(try await live.run(["gc"]).status == 0)
            var node: NodeProcess?
            if hasNode {
                node = try NodeProcess([
                    "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
                    "--allow-private",
                ])
                _ = try #require(await node?.url(), "\(node?.errorText ?? "")")
            }
            let flags = hasNode ? [] : ["--allow-private"]
            let found = try await live.run(["export", "\(root)"] + flags)
            #expect(found.status == 0, "\(found.errors)")
            #expect(found.text == expected.text)
            node?.send(SIGTERM)
            if let node { #expect(await node.end() == 0, "\(node.errorText)") }
            server.close()
        }

        // The node waited for the verb's own end, at most for the time of `--drain`.
        @Test("the end of a node interrupts the verbs that it runs")
        func interrupted() async throws {
            let live = try Place()
            #expect(try await live.run(["register", "%a.car"]).status == 0)
            let car = CARBuilder.uniform(sections: 5, blockSize: 1000, seed: 9).bytes
            let server = try await ScriptedServer { request in
                guard request.method == "GET" else { return ScriptedServer.serve(car, request) }
                let size = ("Content-Length", "\(car.count)")
                return .init(200, [size], body: Array(car.prefix(100)), ending: .stall)
            }
            let node = try NodeProcess([
                "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
                "--allow-private", "--drain", "600s",
            ])
            _ = try #require(await node.url(), "\(node.errorText)")
            let client = try NodeProcess([
                "register", server.url + "/far.car", "--store", live.store, "--remote", "copy",
            ])
            await eventually { server.requests.contains { $0.method == "GET" } }
            node.send(SIGTERM)
            #expect(await node.end() == 0, "\(node.errorText)")
            #expect(await client.end() != 0)
            #expect(client.errorText.contains("(cancelled)"), "\(client.errorText)")
            server.close()
        }

        @Test("a socket that a killed node left does not stop a verb or the next node")
        func stale() async throws {
            let live = try Place()
            #expect(try await live.run(["register", "%d.car"]).status == 0)
            for _ in 0..<2 {
                let node = try NodeProcess([
                    "serve", "--store", live.store, "--listen", "127.0.0.1:0", "--format", "json",
                ])
                _ = try #require(await node.url(), "\(node.errorText)")
                #expect(await node.until("admin.sock"))
                node.send(SIGKILL)
                #expect(await node.end() == 128 + SIGKILL)
                let socket = "\(live.store)/admin.sock"
                #expect(FileManager.default.fileExists(atPath: socket))
                #expect(try await live.run(["gc"]).status == 0)
            }
        }

        @Test(
            "a store with a long path has its socket elsewhere, and verbs find it",
            arguments: ["", "no-such-folder"]
        )
        func longPath(runtimeFolder: String) async throws {
            let live = try Place()
            let deep = live.folder.path(of: String(repeating: "x", count: 120))
            let car = live.folder.path(of: "a.car")
            let register = try await NodeProcess.run(["register", car, "--store", deep])
            #expect(register.status == 0)
            let runtime = try TemporaryFolder()
            let node = try NodeProcess(
                ["serve", "--store", deep, "--listen", "127.0.0.1:0", "--format", "json"],
                environment: ["XDG_RUNTIME_DIR": runtime.path(of: runtimeFolder)]
            )
            _ = try #require(await node.url(), "\(node.errorText)")
            #expect(await node.until(".sock"), "\(node.errorText)")
            let destroy = try await NodeProcess.run(["destroy", "a", "--store", deep])
            #expect(destroy.status == 0, "\(destroy.errors)")
            node.send(SIGTERM)
            #expect(await node.end() == 0)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: deep).sorted() == [
                    "LOCK", "catalog", "tmp", "transients",
                ]
            )
        }
    }
#endif
