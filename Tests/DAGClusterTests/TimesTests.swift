#if Cluster && DAGSTORE_FAILPOINTS
    import Testing

    @testable import DAGCluster

    @Suite("Intervals of a cluster in debug builds")
    struct TimesTests {
        @Test("a test shortens some, and the others are the usual ones")
        func some() {
            var times = ClusterTimes()
            times.read("beat:500,sweep:3000")
            var expected = ClusterTimes()
            expected.beat = .milliseconds(500)
            expected.sweep = .seconds(3)
            #expect(times == expected)
            times.read("")
            #expect(times == expected)
        }

        @Test(
            "an interval that does not exist ends the process",
            arguments: ["beats:1", "beat", "beat:x"]
        )
        func unknown(text: String) async {
            await #expect(processExitsWith: .failure) { [text = text as String] in
                var times = ClusterTimes()
                times.read(text)
            }
        }
    }
#endif
