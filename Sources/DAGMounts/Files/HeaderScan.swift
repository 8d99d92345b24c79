/// A source at a distance that reads ahead of a walk over the section headers of a CAR.
///
/// Such a walk reads in place of whole blocks a few bytes of each, at offsets that only the header before reveals. A
/// source that knows this can ask for many headers at once.
package protocol ScannableSource: RandomSource {
    /// Starts a scan.
    ///
    /// - Parameter places: The places of the CAR's parts.
    /// - Returns: The scan; its end frees its resources.
    func scan(_ places: ScanPlaces) -> any HeaderScan

    /// Checks that the object still has the version that was opened.
    ///
    /// *Cost*: one request.
    ///
    /// - Throws: `MountError(.changed)` if it has another one; `CancellationError`.
    func checkVersion() async throws
}

/// The places that a scan needs to know.
package struct ScanPlaces: Sendable, Equatable {
    /// The offsets of the CARv1 payload in the source.
    package let payload: Range<UInt64>
    /// The offset of the first section in the source.
    package let start: UInt64
    /// The offsets of the CAR's own index in the source; nil if it has none.
    package let index: Range<UInt64>?

    /// Creates places.
    package init(payload: Range<UInt64>, start: UInt64, index: Range<UInt64>?) {
        self.payload = payload
        self.start = start
        self.index = index
    }
}

/// One walk over section headers at a distance.
///
/// *Concurrency*: one thread reads; any thread may cancel.
package protocol HeaderScan: AnyObject, Sendable {
    /// Returns the bytes at `offset`; the thread blocks.
    ///
    /// - Parameters:
    ///   - offset: The offset in the source; at least that of the call before.
    ///   - size: The bytes that the walk needs; they lie in the payload.
    ///   - sections: The sections that the walk has passed.
    /// - Returns: At least `size` bytes, which may go on after them.
    /// - Throws: `MountError`; `.cancelled` after `cancel`.
    func bytes(
        at offset: UInt64,
        needs size: Int,
        after sections: UInt64
    ) throws(MountError) -> ArraySlice<UInt8>

    /// Ends the running call with `.cancelled`, and all later ones.
    func cancel()
}
