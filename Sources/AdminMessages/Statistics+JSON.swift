internal import DAGMounts
package import DAGStorage

extension Statistics {
    /// Writes the members that `stats` and a node's summary share.
    package func write(to json: inout JSONWriter) {
        json.member("blocks", blocks)
        json.member("payloadBytes", payloadBytes)
        json.member("indexBytes", indexBytes)
        json.member("catalogFileBytes", catalogFileBytes)
        json.member("catalogUsedBytes", catalogUsedBytes)
        json.member("catalogFreeBytes", catalogFreeBytes)
        json.member("mapSize", mapSize)
        json.member("leases", leases)
        json.member("openShards", openShards)
        json.member("pageCacheHits", pageCacheHits)
        json.member("pageCacheMisses", pageCacheMisses)
        json.member("pageCacheBytes", pageCacheBytes)
        json.member("inverseEntries", inverse.entries)
        json.member("inverseBytes", inverse.bytes)
        json.member("inverseRecentEntries", inverse.recentEntries)
        json.member("inverseRuns", inverse.runs.count)
        json.member("inverseRunEntries", inverse.runs.map(\.entries))
        json.member("inverseReadAmplification", inverse.readAmplification)
        json.member("inverseWriteAmplification", inverse.writeAmplification)
        json.member("remoteRequests", traffic.requests)
        json.member("remoteBytes", traffic.bytes)
        json.member("remoteSchemes") { json in
            for (scheme, traffic) in trafficByScheme.sorted(by: { $0.key < $1.key }) {
                json.member(scheme) { json in
                    json.member("requests", traffic.requests)
                    json.member("bytes", traffic.bytes)
                }
            }
        }
    }
}
