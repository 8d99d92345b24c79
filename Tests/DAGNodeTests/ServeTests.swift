#if Node
    import AsyncHTTPClient
    import DAGNode
    import Foundation
    import NIOCore
    import NIOHTTP1
    import TestSupport
    import Testing

    @Suite("dagstore serve", .timeLimit(.minutes(3)))
    struct ServeTests {
        private let folder: TemporaryFolder
        private var store: String { folder.path(of: "store") }
        private var cars: String { folder.path(of: "cars") }

        init() throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(
                atPath: cars,
                withIntermediateDirectories: false
            )
        }

        private func start(_ arguments: String...) throws -> NodeProcess {
            try NodeProcess(
                [
                    "serve", "--store", store, "--mount-dir", cars, "--listen", "127.0.0.1:0",
                    "--format", "json", "--settle-time", "0",
                ] + arguments
            )
        }

        private func get(_ url: String) async throws -> HTTPClientResponse {
            try await HTTPClient.shared.execute(
                HTTPClientRequest(url: url),
                timeout: .seconds(100)
            )
        }

        private func untilReady(_ url: String) async throws {
            var isReady = false
            while !isReady {
                isReady = try await get("\(url)/health/readyz").status.code == 200
            }
        }

        private static let car = CARBuilder.uniform(sections: 5, blockSize: 1000, seed: 7)

        @Test(
            "a CAR in the folder is served, and a signal ends the node",
            arguments: [SIGTERM, SIGINT]
        )
        func serves(signal: Int32) async throws {
            try Data(Self.car.bytes).write(to: URL(filePath: "\(cars)/a.car"))
            let node = try start()
            let url = try #require(await node.url(), "\(node.errorText)")
            #expect(try await get("\(url)/health/livez").status.code == 200)
            try await untilReady(url)
            for block in Self.car.blocks {
                let answer = try await get("\(url)/ipfs/\(block.cid)?format=raw")
                #expect(answer.status.code == 200)
                #expect(Array(buffer: try await answer.body.collect(upTo: 1 << 20)) == block.data)
            }
            // A CAR that appears later.
            let other = CARBuilder.uniform(sections: 1, blockSize: 10, seed: 8)
            try Data(other.bytes).write(to: URL(filePath: "\(cars)/b.car"))
            #expect(await node.until("shard=b"))
            let answer = try await get("\(url)/ipfs/\(other.blocks[0].cid)?format=raw")
            #expect(answer.status.code == 200)
            _ = try await answer.body.collect(upTo: 1 << 20)
            node.send(signal)
            #expect(await node.end() == 0, "\(node.errorText)")
            let check = try await NodeProcess.run(["check", "--store", store])
            #expect(check.status == 0, "\(check.errors)")
        }

        @Test(
            "a registered remote shard is served, and readers beside the node read it too",
            arguments: ["remote", "cache", "copy"]
        )
        func remote(policy: String) async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let register = try await NodeProcess.run([
                "register", server.url + "/far.car", "--store", store, "--remote", policy,
                "--allow-private",
            ])
            #expect(register.status == 0, "\(register.errors)")
            let node = try start("--allow-private", "--remote-cache-size", "16MiB")
            let url = try #require(await node.url(), "\(node.errorText)")
            for block in Self.car.blocks {
                let answer = try await get("\(url)/ipfs/\(block.cid)?format=raw")
                #expect(answer.status.code == 200)
                #expect(Array(buffer: try await answer.body.collect(upTo: 1 << 20)) == block.data)
            }
            let beside = try await NodeProcess.run([
                "get", "\(Self.car.blocks[1].cid)", "--store", store, "--allow-private",
            ])
            #expect(beside.status == 0, "\(beside.errors)")
            let cache = "\(store)/remote-cache"
            #expect(FileManager.default.fileExists(atPath: cache) == (policy == "cache"))
            node.send(SIGTERM)
            #expect(await node.end() == 0, "\(node.errorText)")
        }

        /// A CAR that does not fit in the buffers of a connection.
        private static let large = CARBuilder(
            blocks: (0..<32).map { .raw([UInt8](repeating: UInt8($0), count: 1 << 20)) }
        )

        @Test(
            "an answer that is under way at a signal goes on to its end",
            arguments: [SIGTERM, SIGHUP]
        )
        func drains(signal: Int32) async throws {
            let bytes = Self.large.bytes
            try Data(bytes).write(to: URL(filePath: "\(cars)/a.car"))
            let node = try start("--drain", "100s", "--slow-client-timeout", "100s")
            let url = try #require(await node.url(), "\(node.errorText)")
            try await untilReady(url)
            let answer = try await get("\(url)/piece/a")
            #expect(answer.status.code == 200)
            var body = answer.body.makeAsyncIterator()
            var received = Array(buffer: try #require(try await body.next()))
            node.send(signal)
            #expect(await node.until("ends; answers may go on"))
            while let part = try await body.next() { received += Array(buffer: part) }
            #expect(received == bytes)
            #expect(await node.end() == 0, "\(node.errorText)")
            let list = try await NodeProcess.run(["check", "--store", store])
            #expect(list.status == 0)
        }

        @Test("an answer that does not end in the time of --drain is cut off")
        func drainEnds() async throws {
            try Data(Self.large.bytes).write(to: URL(filePath: "\(cars)/a.car"))
            let node = try start("--drain", "0", "--slow-client-timeout", "100s")
            let url = try #require(await node.url(), "\(node.errorText)")
            try await untilReady(url)
            let answer = try await get("\(url)/piece/a")
            var body = answer.body.makeAsyncIterator()
            _ = try await body.next()
            node.send(SIGTERM)
            #expect(await node.end() == 0, "\(node.errorText)")
            await #expect(throws: (any Error).self) { while try await body.next() != nil {} }
        }

        @Test(
            "verbs that need the store alone say which process holds it, and others work beside it"
        )
        func otherVerbs() async throws {
            try Data(Self.car.bytes).write(to: URL(filePath: "\(cars)/a.car"))
            let node = try start()
            let url = try #require(await node.url(), "\(node.errorText)")
            try await untilReady(url)
            for verb in [["serve"], ["compact"]] {
                let other = try NodeProcess(verb + ["--store", store])
                #expect(await other.end() == 6)
                #expect(
                    other.errorText.contains(
                        "process \(node.number) (dagstore) has the store open"
                    ),
                    "\(other.errorText)"
                )
                #expect(other.errorText.contains("(catalogLocked)"))
            }
            let list = try await NodeProcess.run(["list", "--store", store])
            #expect(list.status == 0 && list.text.hasPrefix("a "))
            let get = try await NodeProcess.run(
                ["get", "\(Self.car.blocks[0].cid)", "--store", store]
            )
            #expect(get.status == 0)
            node.send(SIGTERM)
            #expect(await node.end() == 0)
        }

        @Test("an address in use, a missing store and a folder in the store are refused")
        func refusals() async throws {
            let node = try start()
            let url = try #require(await node.url(), "\(node.errorText)")
            let address = String(url.dropFirst("http://".count))
            let second = folder.path(of: "second")
            let taken = try await NodeProcess.run([
                "serve", "--store", second, "--mount-dir", cars, "--listen", address,
            ])
            #expect(taken.status == 2)
            #expect(taken.errors.contains("--listen \(address): "), "\(taken.errors)")
            node.send(SIGTERM)
            #expect(await node.end() == 0)
            let missing = try await NodeProcess.run(["serve", "--store", folder.path(of: "none")])
            #expect(missing.status == 2)
            #expect(missing.errors.contains("there is no store in"))
            let inside = try await NodeProcess.run([
                "serve", "--store", store, "--mount-dir", "\(store)/transients",
            ])
            #expect(inside.status == 2)
            #expect(inside.errors.contains("it lies in the store"))
            let wrong = try await NodeProcess.run([
                "serve", "--store", store, "--tls-cert", "\(cars)/none.pem",
                "--tls-key", "x",
            ])
            #expect(wrong.status == 2, "\(wrong.errors)")
        }

        @Test("options come from flags, variables and a file, and are printed as such a file")
        func options() async throws {
            let file = try folder.write(Array("drain = 3s\nlog-level = debug\n".utf8), to: "conf")
            let printed = try await NodeProcess.run(
                [
                    "serve", "--config", file, "--print-config", "--eager", "--verify",
                ],
                environment: ["DAGSTORE_DRAIN": "4s", "DAGSTORE_PATH": "/s"]
            )
            #expect(printed.status == 0)
            let values = try OptionFile(Array(printed.text.utf8), name: "printed").values
            #expect(values[.drain] == ["4s"] && values[.logLevel] == ["debug"])
            #expect(values[.store] == ["/s"] && values[.verify] == ["true"])
            #expect(values[.lazy] == ["false"])
            let bad = try folder.write(Array("\nbogus = 1\n".utf8), to: "bad")
            let refused = try await NodeProcess.run(["serve", "--config", bad, "--format", "json"])
            #expect(refused.status == 2)
            #expect(refused.errors.contains("\"code\":\"invalidConfiguration\""))
            #expect(refused.errors.contains("line 2: has the unknown key bogus"))
        }

        @Test(
            "every option has a flag, with the table's text in the help",
            arguments: NodeOption.all
        )
        func flags(option: NodeOption) async throws {
            let help = try await NodeProcess.run(["serve", "--help"]).text
            let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(option.text), "\(option.name)")
            guard option.isInFile else { return }
            let (flags, value) = Self.flag(option)
            let printed = try await NodeProcess.run(["serve", "--print-config"] + flags)
            let values = try OptionFile(Array(printed.text.utf8), name: "printed").values
            #expect(values[option] == [value], "\(printed.errors)")
        }

        /// Flags that give an option a value other than its default, and that value.
        private static func flag(_ option: NodeOption) -> ([String], String) {
            let name = "--\(option.name)"
            switch option.kind {
            case .flag: return ([name], "true")
            case .address: return ([name, "a:1"], "a:1")
            // A certificate and its key need each other.
            case .path where option == .tlsCert: return ([name, "/x", "--tls-key", "/y"], "/x")
            case .path where option == .tlsKey: return ([name, "/x", "--tls-cert", "/y"], "/x")
            case .path, .paths, .text: return ([name, "/x"], "/x")
            case .names: return ([name, "a.example"], "a.example")
            case .count: return ([name, "77"], "77")
            case .size, .limit: return ([name, "77MiB"], "77MiB")
            case .duration, .timeout, .pause: return ([name, "77s"], "77s")
            case .choice(let words): return ([name, words[1]], words[1])
            }
        }
    }
#endif
