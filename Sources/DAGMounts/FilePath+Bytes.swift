package import SystemPackage

extension FilePath {
    /// The path of these bytes, which are no text necessarily.
    ///
    /// - Parameter bytes: At least one, and none of them 0.
    package init(bytes: [UInt8]) {
        precondition(!bytes.isEmpty && !bytes.contains(0), "bytes that are no path")
        let characters = bytes.map { CInterop.PlatformChar(bitPattern: $0) } + [0]
        // SAFETY: the array ends with a zero and is read during the call.
        self = unsafe characters.withUnsafeBufferPointer { buffer in
            unsafe FilePath(platformString: buffer.baseAddress.unsafelyUnwrapped)
        }
    }

    /// The path's bytes, without a zero at the end.
    package var bytes: [UInt8] {
        // SAFETY: the string is read during the call, up to its zero.
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
