internal import CDAGLMDB
internal import DAGSystem
internal import SystemPackage

extension Environment {
    /// Writes a copy of the environment without its free pages, as of one moment.
    ///
    /// - Parameter path: The file to make; it must not exist. After an error it may exist in part.
    ///   It gets the rights, the owner and the group of the data file.
    /// - Throws: `.diskFull`, `.permission`, `.io` if the file cannot be written or given to the owner; `.corrupted`.
    ///
    /// *Cost*: reads every page in use and writes it once, on a second thread; the copy is not
    /// flushed.
    ///
    /// *Concurrency*: a read transaction for the whole time; others may read and write meanwhile.
    package func copyCompacted(to path: String) throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.copyCompacted(to: path) }
    }
}

extension EnvironmentHandle {
    /// Writes a copy without free pages.
    ///
    /// LMDB takes the path for that of a directory unless the environment was opened without one,
    /// so that the copy goes through a descriptor.
    fileprivate func copyCompacted(to path: String) throws(LMDBError) {
        let descriptor = try NewFile.create(path)
        defer { try? descriptor.close() }
        try NewFile.copyOwner(of: try self.descriptor, to: descriptor)
        // SAFETY: the environment and the descriptor are open.
        try check(unsafe mdb_env_copyfd2(pointer, descriptor.rawValue, UInt32(MDB_CP_COMPACT)))
    }
}
