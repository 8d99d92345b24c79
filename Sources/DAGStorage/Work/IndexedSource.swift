internal import DAGCAR
internal import DAGCatalog

/// A built index that waits to be published.
struct IndexedSource: Sendable {
    let facts: SourceFacts
    let sectionCount: UInt64
    let payloadSize: UInt64
    let indexSize: UInt64
    let parts: IndexParts
    /// The limits for reading the CAR.
    let limits: CARLimits

    /// Writes the facts and sizes into the record of the shard, and makes it available.
    func apply(to record: inout ShardRecord) {
        facts.apply(to: &record)
        if record.isIncomplete {
            record.origin?.compare(sections: record.sectionCount, of: sectionCount)
        }
        record.sectionCount = sectionCount
        record.payloadSize = payloadSize
        record.indexSize = indexSize
        record.state = .available
        record.isIncomplete = false
        record.storeLimits(limits)
        record.errorCode = 0
        record.errorText = ""
    }
}
