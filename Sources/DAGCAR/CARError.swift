/// An error in the bytes of a CAR or of a CAR index.
///
/// Two errors are equal when their codes are equal; their offsets may differ.
public struct CARError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    ///
    /// Codes may be added in a minor release.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        package enum Value: String, CaseIterable {
            case truncated, malformedVarint, malformedHeader, unsupportedVersion
            case malformedSection, malformedCID, nullPadding, limitExceeded, malformedIndex
        }
        package let value: Value

        /// The bytes end inside a header, a varint or a section.
        public static var truncated: Self { Self(value: .truncated) }
        /// A varint is longer than 9 bytes or not minimal.
        public static var malformedVarint: Self { Self(value: .malformedVarint) }
        /// The bytes are no CAR header, or a CARv2 header has impossible offsets.
        public static var malformedHeader: Self { Self(value: .malformedHeader) }
        /// A version other than 1 and 2, or a CARv2 inside a CARv2.
        public static var unsupportedVersion: Self { Self(value: .unsupportedVersion) }
        /// A section that is shorter than its CID.
        public static var malformedSection: Self { Self(value: .malformedSection) }
        /// A section that does not start with a CID.
        public static var malformedCID: Self { Self(value: .malformedCID) }
        /// A section of length zero where `CARLimits.nullPadding` is `.refused`.
        public static var nullPadding: Self { Self(value: .nullPadding) }
        /// A header, section or CID beyond `CARLimits`.
        public static var limitExceeded: Self { Self(value: .limitExceeded) }
        /// An index of an unknown codec, or with impossible counts, widths or lengths.
        public static var malformedIndex: Self { Self(value: .malformedIndex) }
        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// The start of the bad item, in bytes.
    ///
    /// For a section it counts from the start of the CAR payload, for a header from the start of the file, for an
    /// index from the start of the index.
    public let offset: UInt64
    /// A detail for people.
    public let detail: String

    /// Creates an error at `offset`.
    @inline(never)
    public init(_ code: Code, at offset: UInt64, _ detail: String = "") {
        self.code = code
        self.offset = offset
        self.detail = detail
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code, the offset and the detail.
    public var description: String {
        "\(code) at byte \(offset)" + (detail.isEmpty ? "" : ": \(detail)")
    }
}
