internal import DAGBytes
internal import DAGSystem
internal import SystemPackage

/// An environment's data file, read by system calls, so that damage in it cannot raise a signal.
struct PageFile {
    let descriptor: FileDescriptor
    /// The size of the file in bytes, at creation of this value.
    let size: Int

    /// Reads the size of an open data file.
    ///
    /// - Throws: `.io`.
    init(_ descriptor: FileDescriptor) throws(LMDBError) {
        self.descriptor = descriptor
        size = try translating { () throws(Errno) in Int(try Stat(descriptor).size) }
    }

    /// Returns the readable meta pages, the later one first.
    ///
    /// - Throws: `.io`.
    func metaPages() throws(LMDBError) -> [MetaPage] {
        guard let first = try metaPage(at: 0) else {
            // The second meta page follows the first, whose page size is unknown here. So the code tries all sizes.
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

    /// How often the code reads a meta page that a writer may be writing.
    private static let attemptsMax = 10

    /// Refuses a file with bad meta pages.
    ///
    /// LMDB would treat a damaged tree as a new environment, and divide by a page size of zero.
    ///
    /// An empty file passes: another process is creating it.
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
        throw LMDBError(.corrupted, words: "a meta page is damaged")
    }

    private func metaPage(at offset: Int) throws(LMDBError) -> MetaPage? {
        var bytes = [UInt8](repeating: 0, count: MetaPage.size)
        guard try read(into: &bytes, at: offset) else { return nil }
        return bytes.withView { MetaPage($0) }
    }

    /// Fills `bytes` from the file, from an offset on.
    ///
    /// - Returns: Whether the file has all these bytes.
    /// - Throws: `.io`.
    func read(into bytes: inout [UInt8], at offset: Int) throws(LMDBError) -> Bool {
        let count = bytes.count
        let end = offset.addingReportingOverflow(count)
        guard offset >= 0, !end.overflow, end.partialValue <= size else { return false }
        var span = bytes.mutableSpan
        do throws(Errno) {
            // SAFETY: the buffer belongs to the array, which lives through the call.
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
