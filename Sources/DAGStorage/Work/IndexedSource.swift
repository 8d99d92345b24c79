internal import DAGCAR
internal import DAGCatalog

/// An index that is built and not published.
struct IndexedSource: Sendable {
    let facts: SourceFacts
    let sectionCount: UInt64
    let payloadSize: UInt64
    let indexSize: UInt64
    let parts: IndexParts
    /// The limits that the CAR was read with.
    let limits: CARLimits

    /// Writes what was found into the record of the shard, which is available then.
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
