internal import DAGBytes
public import DAGMultiformats

/// Why a DAG cannot be walked, or a block cannot be read.
///
/// Two errors are equal when their codes are equal.
public struct IPLDError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    ///
    /// Codes may be added in a minor release.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        package enum Value: String, CaseIterable, Sendable {
            case malformedBlock, unsupportedCodec, pathNotFound, pathNotALink, limitExceeded
        }
        package let value: Value

        /// The bytes break the rules of the CID's codec or of UnixFS.
        public static var malformedBlock: Self { Self(value: .malformedBlock) }
        /// This package does not know where the blocks of a codec have their links.
        public static var unsupportedCodec: Self { Self(value: .unsupportedCodec) }
        /// A segment of the path names nothing.
        public static var pathNotFound: Self { Self(value: .pathNotFound) }
        /// The path ends at a value inside a block that is no link.
        public static var pathNotALink: Self { Self(value: .pathNotALink) }
        /// A block, a path or a DAG exceeds `DAGLimits`.
        public static var limitExceeded: Self { Self(value: .limitExceeded) }
        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// The block it is about, if the thrower knows it.
    public var cid: CID?
    /// The finding, as text.
    public let message: String

    /// Creates an error.
    @inline(never)
    public init(_ code: Code, _ message: String = "", cid: CID? = nil) {
        self.code = code
        self.message = message
        self.cid = cid
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }

    /// The code, the CID and the message.
    public var description: String {
        "\(code): " + (cid.map { "\($0.briefText): " } ?? "") + message
    }

    /// Returns the same error about a block, unless it is about one already.
    func about(_ cid: CID) -> IPLDError {
        guard self.cid == nil else { return self }
        var error = self
        error.cid = cid
        return error
    }
}

extension CID {
    /// The largest binary CID that messages have as a whole, in bytes.
    private static let messageSizeMax = 128

    /// The text for a message: the start of a CID that is very long.
    package var briefText: String {
        guard bytes.count > Self.messageSizeMax else { return description }
        let head = bytes.withView { $0[0..<Self.messageSizeMax].hexadecimal }
        return "the CID of \(bytes.count) bytes that begins with \(head)"
    }
}
