/// The limits of a reader of CARs.
///
/// A reader checks each limit before it allocates or skips bytes.
public struct CARLimits: Equatable, Sendable {
    /// The meaning of a section of length zero.
    public enum NullPadding: Equatable, Sendable {
        /// The data ends there, and the reader ignores the rest: Filecoin pads pieces this way.
        case endsData
        /// The reader throws `nullPadding`.
        case refused
    }

    /// The largest CARv1 header in bytes, without its length; 32 MiB as in go-car.
    public var headerSizeMax: UInt64
    /// The largest section in bytes, CID and data without the length; 8 MiB as in go-car.
    public var sectionSizeMax: UInt64
    /// The meaning of a section of length zero.
    public var nullPadding: NullPadding

    /// Creates limits; the defaults are go-car's, with null padding allowed.
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
