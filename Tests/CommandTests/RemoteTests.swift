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
                    "get",
                    cid,
                    "--shard",
                    "sample",
                    "--allow-private",
                    "--remote",
                    policy
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
            #expect(try await scene.run("list", "--remote", "all").status == 2)
        }
    }
#endif
