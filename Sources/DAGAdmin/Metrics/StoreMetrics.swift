#if Node
    internal import DAGStorage
    internal import DAGSystem

    /// The metrics that are read from a store when they are asked for.
    ///
    /// Their names are a promise.
    enum StoreMetrics {
        /// Writes the metrics of a store and of the process; those that cannot be read are left out.
        static func write(_ store: DAGStore, stuckCount: Int, to text: inout PrometheusText) {
            if let states = try? store.stateCounts() {
                text.family("dagstore_shards", .gauge, "The shards in each state.")
                for (state, count) in states.counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }
                ) {
                    text.sample("dagstore_shards", [("state", state.rawValue)], Double(count))
                }
            }
            text.single(
                "dagstore_stuck_shards",
                .gauge,
                "Shards that stay in a passing state beyond the limit.",
                Double(stuckCount)
            )
            text.single(
                "dagstore_loop_waiting_messages",
                .gauge,
                "Messages that wait for the event loop.",
                Double(store.waitingMessageCount)
            )
            if let statistics = try? store.statistics() { write(statistics, to: &text) }
            writeProcess(to: &text)
        }

        private static func write(_ statistics: Statistics, to text: inout PrometheusText) {
            let inverse = statistics.inverse
            let gauges: [(String, String, Double)] = [
                ("blocks", "Sections of all indexed shards.", Double(statistics.blocks)),
                (
                    "payload_bytes", "Payloads of all indexed shards.",
                    Double(statistics.payloadBytes)
                ),
                ("index_bytes", "Index pages and locators.", Double(statistics.indexBytes)),
                (
                    "catalog_file_bytes", "The catalog's file.",
                    Double(statistics.catalogFileBytes)
                ),
                (
                    "catalog_used_bytes", "The used part of the catalog's file.",
                    Double(statistics.catalogUsedBytes)
                ),
                ("catalog_map_bytes", "The catalog's address space.", Double(statistics.mapSize)),
                ("leases", "Leases.", Double(statistics.leases)),
                ("open_shards", "Open shards.", Double(statistics.openShards)),
                ("transients", "Copies of CARs.", Double(statistics.transients)),
                ("transient_bytes", "The size of the copies.", Double(statistics.transientBytes)),
                (
                    "page_cache_bytes", "Decoded index pages in memory.",
                    Double(statistics.pageCacheBytes)
                ),
                ("inverse_entries", "Entries of the inverse index.", Double(inverse.entries)),
                ("inverse_bytes", "The size of the inverse index.", Double(inverse.bytes)),
                ("inverse_runs", "Runs of the inverse index.", Double(inverse.runs.count)),
                (
                    "inverse_read_amplification", "Tables and runs that a search probes.",
                    Double(inverse.readAmplification)
                ),
                (
                    "inverse_write_amplification", "How often an entry was written, on average.",
                    inverse.writeAmplification
                ),
            ]
            for (name, help, value) in gauges {
                text.single("dagstore_\(name)", .gauge, help, value)
            }
            let counters: [(String, String, Double)] = [
                (
                    "page_cache_hits_total", "Index pages that the cache had.",
                    Double(statistics.pageCacheHits)
                ),
                (
                    "page_cache_misses_total", "Index pages that were decoded.",
                    Double(statistics.pageCacheMisses)
                ),
                (
                    "events_dropped_total", "Events that slow readers have lost.",
                    Double(statistics.eventsDropped)
                ),
            ]
            for (name, help, value) in counters {
                text.single("dagstore_\(name)", .counter, help, value)
            }
            writeTraffic(statistics, to: &text)
        }

        private static func writeTraffic(_ statistics: Statistics, to text: inout PrometheusText) {
            let schemes = statistics.trafficByScheme.sorted { $0.key < $1.key }
            guard !schemes.isEmpty else { return }
            let requests = "dagstore_remote_requests_total"
            text.family(requests, .counter, "Requests to sources elsewhere.")
            for (scheme, traffic) in schemes {
                text.sample(requests, [("scheme", scheme)], Double(traffic.requests))
            }
            let bytes = "dagstore_remote_bytes_total"
            text.family(bytes, .counter, "Bytes from sources elsewhere.")
            for (scheme, traffic) in schemes {
                text.sample(bytes, [("scheme", scheme)], Double(traffic.bytes))
            }
        }

        private static func writeProcess(to text: inout PrometheusText) {
            let use = ThisProcess.use
            text.single(
                "process_cpu_seconds_total",
                .counter,
                "The processor time of the process.",
                use.processorSeconds
            )
            if let bytes = use.residentBytes {
                text.single(
                    "process_resident_memory_bytes",
                    .gauge,
                    "The memory of the process.",
                    Double(bytes)
                )
            }
            if let count = use.descriptorCount {
                text.single("process_open_fds", .gauge, "Open descriptors.", Double(count))
            }
            if let count = ThisProcess.descriptorCountMax {
                text.single("process_max_fds", .gauge, "The limit of descriptors.", Double(count))
            }
        }
    }
#endif
