#if Node
    import DAGMultiformats
    import Foundation
    import TestSupport
    import Testing

    @Suite("Remote sources")
    struct RemoteTests {
        @Test(
            "a CAR behind a URL is registered, read and relocated, where private networks are permitted"
        )
        func register() async throws {
            let bytes = Sample.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let scene = try Scene()
            let url = server.url + "/folder/sample.car"
            let refused = try await scene.json("register", url, "--key", "refused")
            #expect(refused.status == 4)
            #expect(refused.objects.first?["error"] == "mountUnreachable")
            #expect(server.requests.isEmpty)
            let outcome = try await scene.json("register", url, "--allow-private")
            #expect(outcome.status == 0)
            #expect(outcome.objects.first?["key"] == "sample")
            #expect(outcome.objects.first?["blocks"]?.integer == 4)
            let mount = try await scene.json("status", "sample").objects.first?["mount"]
            #expect(mount?.text == url)
            let cid = Sample.raw.cid.description
            for policy in ["remote", "cache", "copy"] {
                let get = try await scene.run(
                    ["get", cid, "--shard", "sample", "--allow-private"],
                    environment: ["DAGSTORE_REMOTE": policy]
                )
                #expect(get.out == Sample.raw.data, "\(policy)")
            }
            let other = server.url + "/other.car"
            let relocated = try await scene.json("relocate", "sample", other, "--allow-private")
            #expect(relocated.status == 0)
            #expect(
                try await scene.json("status", "sample").objects.first?["mount"]?.text == other
            )
        }

        @Test("credentials in a URL are refused, and no output shows them")
        func credentials() async throws {
            let scene = try Scene()
            for url in [
                "https://user:hidden@example.com/a.car",
                "https://example.com/a.car?X-Amz-Signature=hidden",
            ] {
                let outcome = try await scene.run("register", url, "--key", "a")
                #expect(outcome.status == 2)
                #expect(!outcome.errorText.contains("hidden"))
                #expect(try await scene.run("status", "a").status != 0)
            }
        }

        @Test("a policy that does not exist is a wrong argument")
        func policy() async throws {
            let scene = try Scene()
            let url = "https://example.com/a.car"
            #expect(try await scene.run("register", url, "--remote", "all").status == 2)
            #expect(try await scene.run("relocate", "a", "--remote", "all").status == 2)
            let environments = [
                ["DAGSTORE_REMOTE": "all"], ["DAGSTORE_REMOTE": "automatic"],
                ["DAGSTORE_REMOTE_CACHE_SIZE": "0"], ["DAGSTORE_ALLOW_PRIVATE": "1"],
            ]
            _ = try await scene.run("register", try scene.write(Sample.car))
            for environment in environments {
                let outcome = try await scene.json("list", environment: environment)
                #expect(outcome.status == 2)
                #expect(outcome.errorText.contains("invalidConfiguration"))
            }
        }

        private func policy(of key: String, in scene: Scene) async throws -> String? {
            try await scene.json("status", key).objects.first?["policy"]?.text
        }

        @Test(
            "a shard's policy is set at its registration and changed later, and every verb heeds it"
        )
        func policies() async throws {
            let bytes = Sample.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let scene = try Scene()
            let url = server.url + "/sample.car"
            let environment = ["DAGSTORE_ALLOW_PRIVATE": "true"]
            let registered = try await scene.run(
                "register",
                url,
                "--remote",
                "copy",
                environment: environment
            )
            #expect(registered.status == 0)
            #expect(try await policy(of: "sample", in: scene) == "copy")
            let transients = scene.store + "/transients"
            #expect(try FileManager.default.contentsOfDirectory(atPath: transients).count == 1)
            #expect(try await scene.run("status", "sample").text.contains("policy      copy"))
            // The copy answers, although the server may not be reached.
            let cid = Sample.raw.cid.description
            #expect(try await scene.run("get", cid).out == Sample.raw.data)
            #expect(try await scene.run("gc").status == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: transients) == [])
            let fetched = try await scene.run("initialize", "sample", environment: environment)
            #expect(fetched.status == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: transients).count == 1)
            let changed = try await scene.json("relocate", "sample", "--remote", "cache")
            #expect(changed.status == 0)
            #expect(try await policy(of: "sample", in: scene) == "cache")
            #expect(try await scene.run("gc").status == 0)
            let status = try await scene.json("status", "sample").objects.first
            #expect(status?["transient"] == .null)
            // The index has the roots.
            #expect(status?["roots"] == .array([.string(cid)]))
            for verb in [
                ["get", cid], ["export", cid], ["check", "--deep"], ["index", "list", "sample"],
            ] {
                let outcome = try await scene.run(verb, environment: environment)
                #expect(outcome.status == 0, "\(verb): \(outcome.errorText)")
            }
            let cache = scene.store + "/remote-cache"
            #expect(FileManager.default.fileExists(atPath: cache))
            let moved = try await scene.run(
                "relocate",
                "sample",
                try scene.write(Sample.car),
                "--remote",
                "automatic"
            )
            #expect(moved.status == 0, "\(moved.errorText)")
            #expect(try await policy(of: "sample", in: scene) == "automatic")
            #expect(try await scene.run("relocate", "none", "--remote", "copy").status == 3)
        }
    }
#endif
