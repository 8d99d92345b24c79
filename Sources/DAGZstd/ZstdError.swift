internal import CDAGZstd

/// An error of zstd, or a frame that cannot be decompressed.
///
/// Two errors are equal when their codes are.
package struct ZstdError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: Hashable, Sendable {
        /// The bytes end inside the frame.
        case truncated
        /// The frame is sound and holds more or fewer bytes than the caller expects.
        case sizeMismatch
        /// The bytes are no frame, a damaged frame, or a frame and more bytes.
        case corrupted
        /// There is no memory for a context.
        case outOfMemory
    }

    /// The kind of error.
    package let code: Code
    /// The name that zstd gives, or a sentence of this module.
    package let description: String

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of error.
    ///   - description: A sentence for people, ignored by `==`.
    package init(_ code: Code, _ description: String = "") {
        self.code = code
        self.description = description
    }

    /// Creates the error for the result of a failed call.
    init(result: Int) {
        code =
            switch ZSTD_getErrorCode(result) {
            case ZSTD_error_srcSize_wrong: .truncated
            case ZSTD_error_dstSize_tooSmall: .sizeMismatch
            case ZSTD_error_memory_allocation: .outOfMemory
            default: .corrupted
            }
        // SAFETY: zstd returns a constant string for every result.
        description = unsafe String(cString: ZSTD_getErrorName(result))
    }

    /// Compares the codes.
    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
}
