internal import DAGBytes
internal import DAGSystem
internal import SystemPackage

/// An environment's data file, read by system calls: nothing that is damaged in it can raise a signal.
struct PageFile {
    let descriptor: FileDescriptor
    /// The size of the file when it was looked at, in bytes.
    let size: Int

    /// Looks at an open data file.
    ///
    /// - Throws: `.io`.
    init(_ descriptor: FileDescriptor) throws(LMDBError) {
        self.descriptor = descriptor
        size = try translating { () throws(Errno) in Int(try Stat(descriptor).size) }
    }

    /// The meta pages that can be read, the later one first.
    ///
    /// - Throws: `.io`.
    func metaPages() throws(LMDBError) -> [MetaPage] {
        guard let first = try metaPage(at: 0) else {
            // The second one lies a page further: where that begins is known to the first alone, so all sizes are tried.
            for shift in 9...16 {
                if let meta = try metaPage(at: 1 << shift), meta.pageSize == 1 << shift {
                    return [meta]
                }
            }
            return []
        }
        guard let second = try metaPage(at: first.pageSize) else { return [first] }
        return first.transaction > second.transaction ? [first, second] : [second, first]
    }

    /// How often a meta page is read that a writer may be writing.
    private static let attemptsMax = 10

    /// Refuses a file whose meta pages cannot be: LMDB takes one of a damaged tree for a new environment, and divides by a
    /// page size of zero.
    ///
    /// A file of no bytes is being made.
    ///
    /// - Throws: `.corrupted`, `.io`.
    func refuseDamagedMetaPages() throws(LMDBError) {
        guard size > 0 else { return }
        for _ in 0..<Self.attemptsMax {
            let metas = try metaPages()
            if metas.count == 2, metas[0].pageSize == metas[1].pageSize,
                metas.allSatisfy(\.isPlausible)
            {
                return
            }
        }
        throw LMDBError(.corrupted, words: "a meta page is not what was written")
    }

    private func metaPage(at offset: Int) throws(LMDBError) -> MetaPage? {
        var bytes = [UInt8](repeating: 0, count: MetaPage.size)
        guard try read(into: &bytes, at: offset) else { return nil }
        return bytes.withView { MetaPage($0) }
    }

    /// Fills `bytes` with what the file has from an offset on.
    ///
    /// - Returns: Whether the file has that much.
    /// - Throws: `.io`.
    func read(into bytes: inout [UInt8], at offset: Int) throws(LMDBError) -> Bool {
        let count = bytes.count
        let end = offset.addingReportingOverflow(count)
        guard offset >= 0, !end.overflow, end.partialValue <= size else { return false }
        var span = bytes.mutableSpan
        do throws(Errno) {
            // SAFETY: the buffer is the array's for the call.
            let got = unsafe try span.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
                let buffer = UnsafeMutableRawBufferPointer(buffer)
                return unsafe try descriptor.read(at: UInt64(offset), filling: buffer)
            }
            return got == count
        } catch {
            throw LMDBError(error)
        }
    }
}
