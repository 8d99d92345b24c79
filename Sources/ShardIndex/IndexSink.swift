package import DAGBytes

/// Where the pieces of an index go while it is built.
///
/// The pieces come in order: values of pages from 0 on, then locator segments from 0 on, with segments of
/// the inverse index from 0 on among them. A sink may store
/// them at once; nobody reads them before the root page names them.
///
/// *Concurrency*: one thread at a time calls it.
package protocol IndexSink: AnyObject {
    /// Stores pages that belong together: at most `IndexPage.valueSizeMax` bytes, or one page that is larger.
    func writePages(_ number: Int, _ bytes: [UInt8]) throws

    /// Stores a locator segment: at most about `IndexPage.valueSizeMax` bytes.
    func writeSegment(_ number: Int, _ bytes: [UInt8]) throws

    /// Stores a segment of the shard's own run of the inverse index.
    func writeInverse(_ number: Int, _ bytes: [UInt8]) throws

    /// An empty array for the next piece, with room if there is one to be used again.
    func makeBuffer() -> [UInt8]

    /// Puts `bytes` aside, outside memory, and returns where they went.
    func spill(_ bytes: ByteView) throws -> UInt64

    /// Calls `body` with `size` bytes that `spill` put at `offset`.
    func readSpill(
        at offset: UInt64,
        size: Int,
        _ body: (ByteView) -> Void
    ) throws
}

extension IndexSink {
    /// A new array.
    package func makeBuffer() -> [UInt8] { [] }
}
