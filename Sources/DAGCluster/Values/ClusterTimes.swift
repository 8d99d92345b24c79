#if Cluster
    #if DAGSTORE_FAILPOINTS
        internal import DAGSystem
    #endif

    /// The intervals of a node's work in a cluster.
    package struct ClusterTimes: Sendable, Equatable {
        /// The time between two signs of life.
        package var beat = Duration.seconds(5)
        /// The silence after which a node counts as dead; all nodes have the same.
        package var deadAfter = Duration.seconds(30)
        /// The time between two looks at placements and jobs.
        package var poll = Duration.seconds(1)
        /// The time for which a node gets a job; it renews the lease while it works.
        package var lease = Duration.seconds(30)
        /// The time until a failed import or indexing is tried again.
        package var retry = Duration.seconds(10)
        /// The time between two looks at the runs of a partition; a publication may bring the next one forward.
        package var merge = Duration.seconds(60)
        /// The time between two comparisons of the store with the placements.
        package var compare = Duration.seconds(300)
        /// The time between two sweeps.
        package var sweep = Duration.seconds(3600)
        /// The time that an upload has until its publication; a sweep leaves younger bytes.
        package var grace = Duration.seconds(3600)

        /// Creates the usual intervals.
        package init() {}

        /// The intervals of this process: the usual ones.
        ///
        /// In debug builds a test shortens some: `DAGSTORE_CLUSTER_TIMES=beat:500,lease:3000` names milliseconds.
        package static let ofProcess: ClusterTimes = {
            var times = ClusterTimes()
            #if DAGSTORE_FAILPOINTS
                times.read(ThisProcess.environmentVariable("DAGSTORE_CLUSTER_TIMES") ?? "")
            #endif
            return times
        }()
    }

    #if DAGSTORE_FAILPOINTS
        extension ClusterTimes {
            /// Reads names with milliseconds.
            mutating func read(_ text: String) {
                let places: [String: WritableKeyPath<ClusterTimes, Duration>] = [
                    "beat": \.beat, "deadAfter": \.deadAfter, "poll": \.poll, "lease": \.lease,
                    "retry": \.retry, "merge": \.merge, "compare": \.compare, "sweep": \.sweep,
                    "grace": \.grace,
                ]
                for item in text.split(separator: ",") {
                    let parts = item.split(separator: ":").map(String.init)
                    guard parts.count == 2, let place = places[parts[0]], let count = Int(parts[1])
                    else {
                        preconditionFailure(
                            "DAGSTORE_CLUSTER_TIMES has an unknown interval: \(item)"
                        )
                    }
                    self[keyPath: place] = .milliseconds(count)
                }
            }
        }
    #endif

    extension Duration {
        /// The whole milliseconds.
        var milliseconds: Int64 {
            let parts = components
            return parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
        }
    }
#endif
