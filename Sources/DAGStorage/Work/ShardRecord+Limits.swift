internal import DAGCAR
internal import DAGCatalog

extension ShardRecord {
    /// Keeps the limits that a CAR was read with, as far as they are larger than the usual ones: whoever reads it again
    /// needs them.
    mutating func note(_ limits: CARLimits) {
        let usual = CARLimits()
        sectionSizeMax = limits.sectionSizeMax > usual.sectionSizeMax ? limits.sectionSizeMax : 0
        headerSizeMax = limits.headerSizeMax > usual.headerSizeMax ? limits.headerSizeMax : 0
    }
}
