internal import DAGBytes
internal import DAGHashing
internal import ShardIndex

/// Reads the parts of a bundle from pieces of any size, and hashes them.
///
/// *Memory*: a piece, and the part that the caller reads. *Concurrency*: one thread.
struct BundleReader {
    private let read: () throws -> [UInt8]?
    private var piece: [UInt8] = []
    private var offset = 0
    private var hash = SHA256Stream()
    private var size: UInt64 = 0

    /// Creates a reader.
    ///
    /// - Parameter read: Returns the next piece; nil at the end.
    init(from read: @escaping () throws -> [UInt8]?) { self.read = read }

    /// Appends the next `count` bytes to a part; the part grows only by bytes that have come.
    ///
    /// - Throws: `malformedIndex` if the bundle ends first; the errors of `read`.
    mutating func read(_ count: Int, into part: inout [UInt8]) throws {
        let end = part.count + count
        while part.count < end {
            if offset == piece.count {
                guard let next = try read() else {
                    throw DAGStoreError(.malformedIndex, "the bundle ends after \(size) bytes")
                }
                piece = next
                offset = 0
                continue
            }
            let stop = min(piece.count, offset + end - part.count)
            piece.withView { view in
                hash.update(view[offset..<stop])
                part.append(view[offset..<stop])
            }
            size += UInt64(stop - offset)
            offset = stop
        }
    }

    /// Reads the header.
    ///
    /// - Throws: `ShardIndexError`, and as `read`.
    mutating func readHeader() throws -> IndexBundle {
        var bytes: [UInt8] = []
        try read(IndexBundle.headerSize, into: &bytes)
        let size = try bytes.withView { view throws(ShardIndexError) in
            try IndexBundle.encodedSize(reading: view)
        }
        try read(size - bytes.count, into: &bytes)
        return try bytes.withView { view throws(ShardIndexError) in
            try IndexBundle(reading: view)
        }
    }

    /// Checks that the bundle ends here, and has a name.
    ///
    /// - Throws: `malformedIndex`; the errors of `read`.
    func finish(named name: [UInt8]) throws {
        var rest = piece.count - offset
        while rest == 0, let next = try read() { rest = next.count }
        guard rest == 0 else {
            throw DAGStoreError(.malformedIndex, "bytes follow the bundle")
        }
        guard hash.finish() == name else {
            throw DAGStoreError(.malformedIndex, "the bytes of the bundle do not have its name")
        }
    }
}
