package import SystemPackage

extension FilePath {
    /// Creates a path from bytes, which need not be UTF-8.
    ///
    /// - Parameter bytes: At least one byte, and none of them 0.
    package init(bytes: [UInt8]) {
        precondition(!bytes.isEmpty && !bytes.contains(0), "the bytes are not a path")
        let characters = bytes.map { CInterop.PlatformChar(bitPattern: $0) } + [0]
        // SAFETY: the array ends with a zero and lives through the call.
        self = unsafe characters.withUnsafeBufferPointer { buffer in
            unsafe FilePath(platformString: buffer.baseAddress.unsafelyUnwrapped)
        }
    }

    /// The bytes of the path, without a zero at the end.
    package var bytes: [UInt8] {
        // SAFETY: the string ends with a zero and lives through the call.
        unsafe withPlatformString { start in
            var bytes: [UInt8] = []
            var next = unsafe start
            while unsafe next.pointee != 0 {
                unsafe bytes.append(UInt8(bitPattern: next.pointee))
                unsafe next += 1
            }
            return bytes
        }
    }
}
