package import DAGBytes

/// The receiver of an index while it is built.
///
/// The builder writes values of pages from 0 on, and then locator segments from 0 on. Segments of the inverse index,
/// from 0 on, come among them. A sink may store them at once; no reader sees them before the root page names them.
///
/// *Concurrency*: one thread at a time calls it.
package protocol IndexSink: AnyObject {
    /// Stores pages that share a value: at most `IndexPage.valueSizeMax` bytes, or one larger page.
    func writePages(_ number: Int, _ bytes: [UInt8]) throws

    /// Stores a locator segment: at most about `IndexPage.valueSizeMax` bytes.
    func writeSegment(_ number: Int, _ bytes: [UInt8]) throws

    /// Stores a segment of the shard's own run of the inverse index.
    func writeInverse(_ number: Int, _ bytes: [UInt8]) throws

    /// Returns an empty array for the next value, with the memory of an earlier one if possible.
    func makeBuffer() -> [UInt8]

    /// Stores `bytes` outside memory for a while, and returns their offset.
    func spill(_ bytes: ByteView) throws -> UInt64

    /// Calls `body` with `size` bytes that `spill` stored at `offset`.
    func readSpill(
        at offset: UInt64,
        size: Int,
        _ body: (ByteView) -> Void
    ) throws
}

extension IndexSink {
    /// Returns a new array.
    package func makeBuffer() -> [UInt8] { [] }
}
