#if Node
    internal import AdminMessages
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging

    extension Admin {
        /// The answer about the node.
        var node: AdminReply {
            .json { json in
                json.member("version", facts.version)
                json.member("process", ThisProcess.number)
                json.member("store", facts.directory.string)
                json.member("gateway", facts.gateway())
                json.member("startedAt", startedAt.asTimestamp)
                json.member("seconds", ContinuousClock.now - start)
                json.member("ready", facts.isReady())
                json.member("logLevel", facts.logLevel().rawValue)
                json.member("cluster", facts.cluster?.number)
            }
        }

        /// The answer with the counts of everything.
        func summary() throws -> AdminReply {
            let statistics = try store.statistics()
            let states = try store.stateCounts()
            let lastMinute = lastMinuteCounts
            let totals = metrics.totals
            return .json { json in
                json.member("time", WallClock.milliseconds.asTimestamp)
                json.member("shards", statistics.shards)
                json.member("states") { json in
                    for state in ShardStatus.State.inOrder {
                        json.member(state.rawValue, states.counts[state] ?? 0)
                    }
                }
                statistics.write(to: &json)
                json.member("transients", statistics.transients)
                json.member("transientBytes", statistics.transientBytes)
                json.member("eventsDropped", statistics.eventsDropped)
                json.member("requests") { json in
                    json.member("total", totals.requests)
                    json.member("failed", totals.failed)
                    json.member("bytes", totals.bytes)
                    json.member("active", totals.active)
                    json.member("lastMinute", lastMinute.reduce(0, +))
                    json.member("latency") { json in
                        json.member("p50", Latency.quantile(0.5, lastMinute))
                        json.member("p99", Latency.quantile(0.99, lastMinute))
                    }
                }
                json.member("stuck", each: watchdog.stuck.prefix(100)) { json, shard in
                    json.member("key", shard.key?.text)
                    json.member("state", shard.state)
                    json.member("seconds", UInt64(max(0, shard.seconds)))
                    json.member("waitsFor", shard.waitsFor)
                }
            }
        }

        /// The answer with a page of shards.
        func list(_ route: AdminRoute) throws -> AdminReply {
            var filter = ShardFilter()
            var limit = 100
            var after: UInt32?
            for (name, value) in route.query ?? [] {
                switch name {
                case "state":
                    guard let state = ShardStatus.State(rawValue: value) else {
                        let names = ShardStatus.State.inOrder.map(\.rawValue).joined(
                            separator: ", "
                        )
                        throw AdminError.invalid("state is one of \(names)")
                    }
                    filter.states.insert(state)
                case "search":
                    guard value.utf8.count <= 1000 else {
                        throw AdminError.invalid("search has at most 1,000 bytes")
                    }
                    filter.text = value
                case "limit":
                    guard let number = Int(value), (1...1000).contains(number) else {
                        throw AdminError.invalid("limit is a number from 1 to 1000")
                    }
                    limit = number
                case "after":
                    guard let number = UInt32(value) else {
                        throw AdminError.invalid("after is the \"next\" of an earlier page")
                    }
                    after = number
                default: throw AdminError.invalid("the list has no parameter \(name)")
                }
            }
            let page = try store.shards(after: after, limit: limit, filter: filter)
            return .json { json in
                json.member("shards", each: page.shards) { json, shard in
                    shard.writeEntry(to: &json)
                }
                json.member("next", page.next.map { String($0) })
            }
        }

        /// The answer about one shard.
        func status(of key: ShardKey) throws -> AdminReply {
            guard let status = try store.status(of: key) else {
                throw DAGStoreError(.shardUnknown, "no shard has this key", shard: key)
            }
            let roots = try store.indexedRoots(of: key)?.map(\.description)
            let error = status.error
            let stuck = watchdog.stuck.first { $0.key == key }
            return .json { json in
                status.writeEntry(to: &json)
                json.member("indexBytes", status.indexSize)
                json.member("transient", status.transient?.string)
                json.member("errorMessage", error?.message)
                json.member("roots", roots)
                json.member("explanation", status.explanation(isOwned: true, error))
                json.member("remoteRequests", status.traffic?.requests ?? 0)
                json.member("remoteBytes", status.traffic?.bytes ?? 0)
                if let stuck {
                    json.member("stuck") { json in
                        json.member("seconds", UInt64(max(0, stuck.seconds)))
                        json.member("waitsFor", stuck.waitsFor)
                    }
                } else {
                    json.member("stuck", nil as String?)
                }
                json.member("history", each: history.entries(of: key)) { json, entry in
                    json.member("time", entry.time.asTimestamp)
                    json.member("operation", entry.event.operation.rawValue)
                    json.member("state", entry.event.state?.rawValue)
                    json.member("error", entry.event.error?.code.name)
                    json.member("message", entry.event.error?.message)
                }
            }
        }
    }

    extension ShardStatus {
        /// Writes the members that a list has of a shard.
        func writeEntry(to json: inout JSONWriter) {
            write(to: &json)
            json.member("since", stateSince.asTimestamp)
            json.member("references", references)
            json.member("policy", policy.rawValue)
        }
    }

    extension ShardStatus.State {
        /// All states in the order of a shard's life.
        static let inOrder: [Self] = [
            .registered, .initializing, .available, .serving, .recovering, .failed,
        ]
    }

    /// Times out of a histogram.
    enum Latency {
        /// Returns the time below which a part of the values lies, in seconds; nil without values.
        ///
        /// Between the bounds of a bucket, the values are taken as spread evenly.
        static func quantile(_ part: Double, _ counts: [UInt64]) -> Double? {
            let total = counts.reduce(0, +)
            guard total > 0 else { return nil }
            let rank = part * Double(total)
            var below = 0.0
            for (bucket, count) in counts.enumerated() where count > 0 {
                if below + Double(count) >= rank {
                    let low = bucket == 0 ? 0 : HistogramSeries.bounds[bucket - 1]
                    guard bucket < HistogramSeries.bounds.count else { return low }
                    let high = HistogramSeries.bounds[bucket]
                    return low + (high - low) * max(0, rank - below) / Double(count)
                }
                below += Double(count)
            }
            return HistogramSeries.bounds.last
        }
    }
#endif
