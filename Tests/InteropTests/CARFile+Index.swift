import DAGCAR
import DAGCARFiles
import DAGMounts

extension CARFile {
    /// The index at the file's end, if there is one.
    ///
    /// - Throws: `CARError` if it cannot be read.
    func embeddedIndex() throws(CARError) -> CARIndex? {
        guard let offset = layout.indexOffset else { return nil }
        guard let bytes = layout.index(in: mapped.bytes) else {
            throw CARError(.truncated, at: offset, "the index starts after the file's end")
        }
        return try CARIndex(reading: bytes)
    }
}
