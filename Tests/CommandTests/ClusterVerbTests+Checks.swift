import Foundation
import TestSupport
import Testing

#if Cluster
    /// `cluster check`.
    extension ClusterVerbTests {
        @Test("a check of a new cluster finds nothing", .timeLimit(.minutes(10)))
        func check() async throws {
            let cluster = try await Cluster()
            for options in [[], ["--bytes"], ["--nodes"]] {
                let json = try await cluster.json(["check"] + options)
                #expect(json.status == 0)
                let totals = try #require(json.objects.last)
                #expect(json.objects.count == 1)
                #expect(
                    names(totals) == [
                        "shards", "placements", "jobs", "runs", "blobs", "bytesRead", "answers",
                        "compared", "errors", "warnings", "notes", "seconds",
                    ]
                )
                #expect(totals["jobs"] == 18 && totals["errors"] == 0)
            }
            let text = try await cluster.text("check")
            #expect(text.status == 0)
            #expect(text.text.contains("no problems"))
        }

        @Test("a check prints each finding, and exits with 6", .timeLimit(.minutes(10)))
        func findings() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            #expect(try await cluster.json("register", "sample.car", "--no-wait").status == 0)
            #expect(try await cluster.json("check").status == 0)
            try cluster.query("DELETE FROM dagstore_jobs WHERE kind = 1")
            let json = try await cluster.json("check")
            #expect(json.status == 6)
            let finding = try #require(json.objects.first)
            #expect(
                names(finding) == ["finding", "severity", "key", "node", "blob", "detail"]
            )
            #expect(finding["finding"] == "jobMissing" && finding["severity"] == "error")
            #expect(finding["key"] == "sample" && finding["node"] == .null)
            #expect(json.objects.last?["errors"] == 1)
            let text = try await cluster.text("check")
            #expect(text.status == 6)
            #expect(text.text.contains("jobMissing") && text.text.contains("1 error"))
        }

        @Test("a store outside the cluster is refused", .timeLimit(.minutes(10)))
        func foreignStore() async throws {
            let cluster = try await Cluster()
            let json = try await cluster.json("check", "--store", "none")
            #expect(json.status == 2)
            #expect(json.error["code"] == "invalidArgument")
        }

        @Test("a registration that must wait for a node to start says so", .timeLimit(.minutes(10)))
        func noNode() async throws {
            let cluster = try await Cluster()
            _ = try cluster.scene.write(Sample.car)
            async let waiting = cluster.json("register", "sample.car")
            try await eventually { try await !cluster.json("shards").out.isEmpty }
            #expect(try await cluster.json("destroy", "sample").status == 0)
            let outcome = try await waiting
            #expect(outcome.status == 3)
            #expect(outcome.errorText.contains(#""code":"noLivingNode""#))
            #expect(outcome.errorText.contains(#""code":"shardUnknown""#))
        }
    }
#endif
