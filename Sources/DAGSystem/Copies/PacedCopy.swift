internal import CDAGSystem
package import SystemPackage

/// Copies one file to another at a bounded rate, and leaves the system's cache as it was.
///
/// A copy of a large file would push the pages that other processes read out of the system's cache. So the copy
/// removes from the cache the bytes that it brought in. It leaves the bytes that were there before, and the pages
/// that a process has mapped. It lets the disk write each piece at once: a large amount of unwritten bytes would
/// delay the flushes of other processes.
///
/// ```
/// read(at: 0, size: n)    fills `piece`; the caller may change it
/// write()                 appends `piece` to the target
/// finish()                waits until the disk has the last piece
/// ```
///
/// *Concurrency*: one thread at a time.
package struct PacedCopy {
    /// The largest size of a piece in bytes.
    package static let pieceSizeMax = 1 << 20
    /// The lowest rate in bytes a second, at which a piece takes a second.
    package static let rateMin: UInt64 = 1 << 20

    /// The bytes of the last read.
    package var piece: [UInt8] = []
    private let source: FileDescriptor
    private let target: FileDescriptor
    private let rate: UInt64?
    /// The time at which the rate allows the next piece.
    private var next: ContinuousClock.Instant
    /// The number of bytes that the target has.
    private var written: UInt64 = 0
    /// The last piece, which the disk may not have yet.
    private var unsettled: Range<UInt64> = 0..<0

    /// Creates a copy.
    ///
    /// - Parameters:
    ///   - source: The file to read. No other code reads through this descriptor, because the copy turns its
    ///     reading ahead off.
    ///   - target: A file that is open for writing, at its beginning.
    ///   - rate: The largest number of bytes to read in a second, at least `rateMin`; nil for no bound.
    package init(
        from source: FileDescriptor,
        to target: FileDescriptor,
        bytesPerSecond rate: UInt64?
    ) {
        precondition(rate ?? .max >= Self.rateMin, "the rate of a copy is too low")
        self.source = source
        self.target = target
        self.rate = rate
        next = ContinuousClock.now
        dagstore_read_no_further(source.rawValue)
    }

    /// Reads bytes of the source into `piece`, when the rate allows it.
    ///
    /// - Parameters:
    ///   - offset: The first byte.
    ///   - size: 1 to `pieceSizeMax` bytes.
    /// - Returns: The number of bytes read; fewer than `size` only at the end of the source.
    /// - Throws: The error of the system.
    package mutating func read(at offset: UInt64, size: Int) throws(Errno) -> Int {
        precondition(size > 0 && size <= Self.pieceSizeMax, "a piece has a wrong size")
        waitForTurn(size)
        if piece.count != size { piece = [UInt8](repeating: 0, count: size) }
        let cached = readCached(at: offset)
        let known = max(0, cached)
        let rest = try source.read(at: offset + UInt64(known), into: &piece, known..<size)
        let count = known + rest
        if count < size { piece.removeLast(size - count) }
        if cached >= 0, rest > 0 {
            let start = Int64(offset) + Int64(known)
            dagstore_drop_cached(source.rawValue, start, Int64(rest))
        }
        return count
    }

    /// Appends `piece` to the target.
    ///
    /// - Throws: The error of the system.
    package mutating func write() throws(Errno) {
        guard !piece.isEmpty else { return }
        try target.writeAll(piece, 0..<piece.count)
        let range = written..<(written + UInt64(piece.count))
        written = range.upperBound
        dagstore_write_back(target.rawValue, Int64(range.lowerBound), Int64(range.count), false)
        settle()
        unsettled = range
    }

    /// Waits until the disk has the last piece.
    ///
    /// The file may still lack its size: the caller synchronizes the target.
    package mutating func finish() { settle() }

    /// Waits until the disk has the piece before, and removes it from the cache.
    private mutating func settle() {
        guard !unsettled.isEmpty else { return }
        let (start, size) = (Int64(unsettled.lowerBound), Int64(unsettled.count))
        dagstore_write_back(target.rawValue, start, size, true)
        dagstore_drop_cached(target.rawValue, start, size)
        unsettled = 0..<0
    }

    /// Reads the bytes of the piece that are in the cache.
    ///
    /// - Returns: Their number; -1 if the file system cannot tell.
    private mutating func readCached(at offset: UInt64) -> Int {
        let (file, size) = (source.rawValue, piece.count)
        // SAFETY: the call writes at most the bytes of the array, which lives through the call.
        return unsafe piece.withUnsafeMutableBytes { bytes in
            unsafe dagstore_read_cached(file, bytes.baseAddress, size, Int64(offset))
        }
    }

    /// Waits until the rate allows a piece.
    private mutating func waitForTurn(_ size: Int) {
        guard let rate else { return }
        let now = ContinuousClock.now
        if now < next {
            let (seconds, attoseconds) = (next - now).components
            // A piece takes at most a second.
            usleep(UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
        }
        // A copy that fell behind does not catch up with a burst.
        next = max(next, now) + .seconds(Double(size) / Double(rate))
    }
}
