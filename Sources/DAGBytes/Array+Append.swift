extension [UInt8] {
    /// Appends an integer, least significant byte first.
    @inline(__always)
    @inlinable public mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        // SAFETY: the bytes belong to a local value, and the call only reads them.
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends the bytes of a view.
    @inlinable public mutating func append(_ view: ByteView) {
        // SAFETY: the view's maker keeps the bytes alive during the call.
        unsafe append(contentsOf: view.buffer)
    }
}
