/// How far a registration is.
public struct IndexingProgress: Sendable {
    /// Payload bytes walked.
    public let bytesDone: UInt64
    /// Payload bytes in all.
    public let bytesTotal: UInt64
    /// Sections found.
    public let sections: UInt64

    package init(bytesDone: UInt64, bytesTotal: UInt64, sections: UInt64) {
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
        self.sections = sections
    }
}
