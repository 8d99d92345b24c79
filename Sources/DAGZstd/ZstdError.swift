internal import CDAGZstd

/// Why bytes could not be decompressed.
///
/// Two errors are equal when their codes are.
package struct ZstdError: Error, Sendable {
    /// What went wrong.
    package enum Code: Hashable, Sendable {
        /// The bytes end inside the frame.
        case truncated
        /// The frame is sound and holds more or fewer bytes than the caller expects.
        case sizeMismatch
        /// The bytes are not a frame, or one that is damaged, or one frame and something after it.
        case corrupted
        /// There is no memory for a context.
        case outOfMemory
    }

    /// The kind of error.
    package let code: Code
    /// What zstd calls it, or what this module found.
    package let description: String

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: The kind of error.
    ///   - description: What was found; not compared.
    package init(_ code: Code, _ description: String = "") {
        self.code = code
        self.description = description
    }

    /// Makes the error that `result` stands for, the result of a call that failed.
    init(result: Int) {
        code =
            switch ZSTD_getErrorCode(result) {
            case ZSTD_error_srcSize_wrong: .truncated
            case ZSTD_error_dstSize_tooSmall: .sizeMismatch
            case ZSTD_error_memory_allocation: .outOfMemory
            default: .corrupted
            }
        // SAFETY: zstd answers a constant string for every result.
        description = unsafe String(cString: ZSTD_getErrorName(result))
    }
}

extension ZstdError: Equatable {
    /// Whether the codes are the same.
    package static func == (left: ZstdError, right: ZstdError) -> Bool {
        left.code == right.code
    }
}

extension ZstdError: CustomStringConvertible {}
