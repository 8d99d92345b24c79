/// An error in the bytes or the text of a varint, a multihash or a CID.
///
/// Two errors are equal when their codes are.
public struct MultiformatsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    ///
    /// Codes may be added in a minor release.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        package enum Value: String, CaseIterable {
            case truncated, malformedVarint, unsupportedVersion, malformedCID, malformedText
            case unsupportedBase, limitExceeded
        }
        package let value: Value

        /// The bytes end inside a varint, a multihash or a CID.
        public static var truncated: Self { Self(value: .truncated) }
        /// A varint is longer than 9 bytes or not minimal.
        public static var malformedVarint: Self { Self(value: .malformedVarint) }
        /// A CID version other than 0 and 1.
        public static var unsupportedVersion: Self { Self(value: .unsupportedVersion) }
        /// Bytes follow the CID, or a version 0 CID has a multibase prefix.
        public static var malformedCID: Self { Self(value: .malformedCID) }
        /// A character outside the base's alphabet, or bits left over that are not zero.
        public static var malformedText: Self { Self(value: .malformedText) }
        /// This package does not support the multibase prefix.
        public static var unsupportedBase: Self { Self(value: .unsupportedBase) }
        /// The bytes or the text are longer than `CID.sizeMax` or `CID.textSizeMax`.
        public static var limitExceeded: Self { Self(value: .limitExceeded) }
        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// The start of the bad item: bytes from the start of the input, UTF-8 bytes for text.
    public let offset: Int

    /// Creates an error at `offset`.
    @inline(never)
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code and the offset.
    public var description: String { "\(code) at byte \(offset)" }
}
