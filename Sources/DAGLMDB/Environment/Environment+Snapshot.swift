internal import CDAGLMDB
internal import DAGSystem
internal import SharedReads
internal import SystemPackage

extension Environment {
    /// The version of LMDB that this process has loaded.
    package static var engineVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        // SAFETY: the call fills its arguments, and returns a constant string, which this code does not use.
        unsafe _ = mdb_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Writes a copy of a snapshot, page by page.
    ///
    /// The copy has the same pages at the same places as the original, free pages included. LMDB's own copy,
    /// `mdb_env_copyfd2`, uses the same method. This one differs in four ways:
    ///
    /// * `inspect` sees the snapshot that is copied, so a caller can compare the two.
    /// * It reads by system calls, at a bounded rate. A damaged or shortened file causes an error instead of a signal.
    /// * It leaves the system's cache as it was.
    /// * It never takes LMDB's lock of writers.
    ///
    /// - Parameters:
    ///   - path: The new file, which must not exist; only its owner may read it. After an error a part of it may
    ///     exist.
    ///   - rate: The largest number of bytes to read in a second, at least 1 MiB; nil for no bound.
    ///   - inspect: Reads from the snapshot before its pages are copied.
    ///   - piece: Receives each piece of the copy after it was written, the size of the copy so far, and that of the
    ///     complete copy. It may throw to end the copy.
    /// - Returns: The result of `inspect`.
    /// - Throws: `LMDBError`: `.diskFull`, `.permission`, `.io`, `.corrupted` if the file became shorter,
    ///   `.readersFull`, `.outOfResources`; the errors of `piece`.
    ///
    /// *Cost*: reads every page of the file once, and writes it; does not flush the copy.
    ///
    /// *Concurrency*: holds a read transaction for the whole time, so writers reuse no page of the snapshot. Other
    /// threads and processes may read and write meanwhile.
    package func copySnapshot<R>(
        to path: String,
        bytesPerSecond rate: UInt64?,
        inspecting inspect: (borrowing ReadTransaction) throws(LMDBError) -> R,
        piece: (_ bytes: [UInt8], _ size: UInt64, _ total: UInt64) throws -> Void
    ) throws -> R {
        let (handle, file) = state.withLock { (beginUse(&$0), $0.claims.last?.descriptor) }
        defer { endUse() }
        // LMDB reads through its map. Only the opening of the environment used the claim's descriptor.
        guard let file else { preconditionFailure("an open environment has no claim") }
        let (reader, start) = try handle.beginSnapshot()
        defer { reader.abort() }
        let result = try inspect(ReadTransaction(reader))
        let target = try NewFile.create(path)
        defer { try? target.close() }
        var copy = PacedCopy(from: file, to: target, bytesPerSecond: rate)
        var offset: UInt64 = 0
        while offset < start.size {
            let size = Int(min(UInt64(PacedCopy.pieceSizeMax), start.size - offset))
            try Self.copyPiece(at: offset, size: size, start, &copy)
            offset += UInt64(size)
            try piece(copy.piece, offset, start.size)
        }
        copy.finish()
        return result
    }

    private static func copyPiece(
        at offset: UInt64,
        size: Int,
        _ start: SnapshotStart,
        _ copy: inout PacedCopy
    ) throws(LMDBError) {
        let isWhole = try translating { () throws(Errno) in
            guard try copy.read(at: offset, size: size) == size else { return false }
            // Later commits may have written the meta pages.
            if offset == 0 { copy.piece.replaceSubrange(0..<start.pages.count, with: start.pages) }
            try copy.write()
            return true
        }
        guard isWhole else { throw LMDBError(.corrupted, words: "the data file became shorter") }
    }
}

/// The meta pages of a snapshot.
private struct SnapshotStart {
    /// The bytes of both pages.
    let pages: [UInt8]
    /// The size of the part of the file that the snapshot may use, in bytes.
    let size: UInt64
}

extension EnvironmentHandle {
    /// How often the call starts again because a writer was faster, at least 20 s in all.
    static let attemptsMax = 20_000
    /// The first attempts, which follow each other at once.
    static let attemptsWithoutPause = 10

    /// Begins a read transaction, and reads the meta pages that belong to it.
    ///
    /// A commit writes the meta page of the transaction before the last one. As long as the snapshot is of the last
    /// transaction, no commit writes the snapshot's meta page. So the call reads the pages, and then looks whether
    /// the snapshot is still of the last transaction.
    ///
    /// - Returns: The transaction, which the caller ends, and its meta pages.
    fileprivate func beginSnapshot() throws(LMDBError) -> (TransactionHandle, SnapshotStart) {
        for attempt in 0..<Self.attemptsMax {
            // A commit waits for the disk between its meta page and the moment at which readers see it.
            if attempt >= Self.attemptsWithoutPause { usleep(1000) }
            let reader = try TransactionHandle.begin(in: self, isReadOnly: true)
            do throws(LMDBError) {
                let start = try snapshotStart(of: UInt64(reader.number))
                if let start { return (reader, start) }
            } catch {
                reader.abort()
                throw error
            }
            reader.abort()
        }
        throw LMDBError(.other, words: "the meta pages change faster than they can be read")
    }

    /// Reads the meta pages, if a transaction is the last one.
    private func snapshotStart(of transaction: UInt64) throws(LMDBError) -> SnapshotStart? {
        let descriptor = try descriptor
        let file = try PageFile(descriptor)
        let pageSize = try file.metaPages().first?.pageSize ?? 0
        var pages = [UInt8](repeating: 0, count: 2 * pageSize)
        guard pageSize > 0, try file.read(into: &pages, at: 0) else {
            throw LMDBError(.corrupted, words: "both meta pages are unreadable")
        }
        guard let meta = try file.metaPages().first, meta.transaction == transaction else {
            return nil
        }
        guard meta.isPlausible else { throw LMDBError(.corrupted, words: "a meta page is damaged") }
        let used = UInt64(pageSize) * (meta.lastPage + 1)
        // LMDB never writes pages at the end that one transaction both took and freed.
        return SnapshotStart(pages: pages, size: min(used, UInt64(file.size)))
    }
}
