internal import SharedReads

extension Environment {
    /// Looks at every page that can be reached, by system calls, and changes nothing.
    ///
    /// LMDB follows what it reads without a look; a damaged page ends a process with a signal. What this finds sound, LMDB
    /// can walk.
    ///
    /// - Parameter limit: How many findings are enough; at least 1.
    /// - Returns: What is wrong, for people; nothing if all pages are sound.
    /// - Throws: `.corrupted` if no meta page can be read; `.io`.
    ///
    /// *Cost*: reads every page of rows, and the header of every larger value.
    ///
    /// *Concurrency*: a read transaction for the whole time; others may read and write meanwhile.
    package func damagedPages(limit: Int) throws(LMDBError) -> [String] {
        try withHandle { (handle) throws(LMDBError) in try handle.damagedPages(limit: limit) }
    }
}

extension EnvironmentHandle {
    /// How often a writer may be faster than a look at the meta pages.
    private static let attemptsMax = 100

    /// See `Environment.damagedPages(limit:)`.
    func damagedPages(limit: Int) throws(LMDBError) -> [String] {
        for _ in 0..<Self.attemptsMax {
            // The transaction touches no page but the meta pages; while it is there, its pages are not used again.
            let reader = try TransactionHandle.begin(in: self, isReadOnly: true)
            defer { reader.abort() }
            let file = try PageFile(try descriptor)
            let metas = try file.metaPages()
            guard !metas.isEmpty else {
                throw LMDBError(.corrupted, words: "neither of the meta pages can be read")
            }
            let meta = metas.first { $0.transaction == UInt64(bitPattern: Int64(reader.number)) }
            if let meta { return try PageWalk.damage(file, meta, limit: limit) }
        }
        throw LMDBError(.other, words: "the meta pages change faster than they can be read")
    }

    /// Refuses a file that was cut short, or one with damaged pages if `isThorough`.
    ///
    /// A sound file may be shorter than its last page number: pages at its end that were freed in the transaction that
    /// took them were never written. So the trees decide.
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
