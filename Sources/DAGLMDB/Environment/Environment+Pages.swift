internal import DAGSystem
internal import SharedReads
internal import SystemPackage

extension Environment {
    /// Checks every reachable page by system calls, and changes nothing.
    ///
    /// LMDB follows page numbers without checks, so a damaged page ends the process with a signal. LMDB can walk all
    /// pages that pass this check.
    ///
    /// - Parameter limit: The number of findings after which the check stops; at least 1.
    /// - Returns: The findings, for people; empty if all pages are sound.
    /// - Throws: `.corrupted` if no meta page can be read; `.io`.
    ///
    /// *Cost*: reads every page of rows, and the header of every larger value.
    ///
    /// *Concurrency*: holds a read transaction for the whole time. Other threads and processes may read and write
    /// meanwhile.
    package func damagedPages(limit: Int) throws(LMDBError) -> [String] {
        try withHandle { (handle) throws(LMDBError) in try handle.damagedPages(limit: limit) }
    }
}

extension EnvironmentHandle {
    /// See `Environment.damagedPages(limit:)`.
    func damagedPages(limit: Int) throws(LMDBError) -> [String] {
        for attempt in 0..<Self.attemptsMax {
            // A commit waits for the disk between its meta page and the moment at which readers see it.
            if attempt >= Self.attemptsWithoutPause { usleep(1000) }
            // The transaction touches only the meta pages. While it lives, no writer reuses the snapshot's pages.
            let reader = try TransactionHandle.begin(in: self, isReadOnly: true)
            defer { reader.abort() }
            let file = try PageFile(try descriptor)
            let metas = try file.metaPages()
            guard !metas.isEmpty else {
                throw LMDBError(.corrupted, words: "both meta pages are unreadable")
            }
            let meta = metas.first { $0.transaction == UInt64(bitPattern: Int64(reader.number)) }
            if let meta { return try PageWalk.damage(file, meta, limit: limit) }
        }
        throw LMDBError(.other, words: "the meta pages change faster than they can be read")
    }

    /// Refuses a file that was cut short and, if `isThorough`, a file with damaged pages.
    ///
    /// A sound file may be shorter than its last page number: LMDB never writes pages at the end that one transaction
    /// both took and freed. So the trees decide.
    ///
    /// - Throws: `.corrupted`, `.io`.
    func refuseDamage(isThorough: Bool) throws(LMDBError) {
        let usage = try usage()
        let (needed, overflow) = usage.pageSize.multipliedReportingOverflow(by: usage.lastPage + 1)
        guard isThorough || overflow || usage.fileSize < needed else { return }
        let damage = try damagedPages(limit: 3)
        guard !damage.isEmpty else { return }
        let end = overflow || usage.fileSize < needed ? "the file may be cut short: " : ""
        throw LMDBError(.corrupted, words: end + damage.joined(separator: "; "))
    }
}
