/// What a reader of CARs accepts.
///
/// Each limit is checked before anything is allocated or skipped.
public struct CARLimits: Equatable, Sendable {
    /// What a section of length zero means.
    public enum NullPadding: Equatable, Sendable {
        /// The data ends there, and what follows is ignored: Filecoin pieces are padded so.
        case endsData
        /// It is an error: `nullPadding`.
        case refused
    }

    /// The largest CARv1 header in bytes, without its length; 32 MiB as in go-car.
    public var headerSizeMax: UInt64
    /// The largest section in bytes, CID and data without the length; 8 MiB as in go-car.
    public var sectionSizeMax: UInt64
    /// What a section of length zero means.
    public var nullPadding: NullPadding

    /// go-car's limits, with null padding allowed.
    public init(
        headerSizeMax: UInt64 = 32 << 20,
        sectionSizeMax: UInt64 = 8 << 20,
        nullPadding: NullPadding = .endsData
    ) {
        self.headerSizeMax = headerSizeMax
        self.sectionSizeMax = sectionSizeMax
        self.nullPadding = nullPadding
    }
}
