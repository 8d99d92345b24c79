internal import CDAGLMDB
internal import DAGSystem
internal import SystemPackage

extension Environment {
    /// Writes a copy of the environment without its free pages.
    ///
    /// The copy is a snapshot.
    ///
    /// - Parameter path: The new file, which must not exist. After an error a part of it may exist. It gets the
    ///   rights, the owner and the group of the data file.
    /// - Throws: `.diskFull`, `.permission`, `.io` if the file cannot be written or given to the owner; `.corrupted`.
    ///
    /// *Cost*: reads every page in use and writes it once, on a second thread; does not flush the copy.
    ///
    /// *Concurrency*: holds a read transaction for the whole time. Other threads and processes may read and write
    /// meanwhile.
    package func copyCompacted(to path: String) throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.copyCompacted(to: path) }
    }
}

extension EnvironmentHandle {
    /// Writes a copy without free pages.
    ///
    /// If the environment was opened in a directory, LMDB expects the path of a directory here too. So the copy uses
    /// a descriptor.
    fileprivate func copyCompacted(to path: String) throws(LMDBError) {
        let descriptor = try NewFile.create(path)
        defer { try? descriptor.close() }
        try NewFile.copyOwner(of: try self.descriptor, to: descriptor)
        // SAFETY: the environment and the descriptor are open.
        try check(unsafe mdb_env_copyfd2(pointer, descriptor.rawValue, UInt32(MDB_CP_COMPACT)))
    }
}
