internal import DAGSystem
internal import SystemPackage

/// The files of an environment that need not be open.
package enum EnvironmentFiles {
    /// The name of the data file in its directory.
    package static let dataName = "data.mdb"
    /// The name of the file with the readers' slots.
    package static let lockName = "lock.mdb"

    /// Returns the size of a file in bytes.
    ///
    /// - Throws: `.missing`, `.permission`, `.io`.
    package static func size(of path: String) throws(LMDBError) -> Int {
        try translating { () throws(Errno) in Int(try Stat(FilePath(path)).size) }
    }

    /// Removes a file; does nothing if there is none.
    ///
    /// - Throws: `.permission`, `.io`.
    package static func remove(_ path: String) throws(LMDBError) {
        do {
            try FileSystem.removeFile(FilePath(path))
        } catch {
            guard error == .noSuchFileOrDirectory else { throw LMDBError(error) }
        }
    }

    /// Opens a file or a directory for reading; the caller closes it.
    ///
    /// - Throws: `.missing`, `.permission`, `.outOfResources`, `.io`.
    static func open(_ path: String) throws(LMDBError) -> FileDescriptor {
        try translating { () throws(Errno) in try .opening(FilePath(path)) }
    }

    /// Waits until the disk has a file's bytes, or a directory's names.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.permission`, `.io`.
    package static func sync(_ path: String) throws(LMDBError) {
        try translating { () throws(Errno) in try FileSystem.synchronize(FilePath(path)) }
    }

    /// Waits until the disk has a directory's names, if its file system can do that.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.io`.
    package static func syncNames(in directory: String) throws(LMDBError) {
        try translating { () throws(Errno) in
            try FileSystem.synchronizeIfPossible(directory: FilePath(directory))
        }
    }

    /// Replaces an environment's data file by a copy.
    ///
    /// No process may have the environment open. LMDB keeps the number of the last transaction beside the readers'
    /// slots. An open environment would pass the old file's number on to those that open the new file. So the call
    /// locks the slots' file as LMDB's only user does. A process that opens the environment at this moment waits
    /// until the call returns.
    ///
    /// - Parameters:
    ///   - directory: The environment's directory.
    ///   - copy: The path of the copy, in the same directory; the call renames it.
    /// - Throws: `.alreadyOpen` if any process has it open; `.missing`, `.permission`, `.io`. The data file is then
    ///   unchanged.
    package static func replaceData(
        in directory: String,
        with copy: String
    ) throws(LMDBError) {
        let dataPath = directory + "/" + dataName
        let claims = [try FileClaim.claim(path: directory), try FileClaim.claim(path: dataPath)]
        let isAlone = try translating { () throws(Errno) in
            let slots = try FileDescriptor.opening(
                FilePath(directory + "/" + lockName),
                .readWrite,
                options: .create,
                permissions: .allReadWrite
            )
            // Closing the file removes the lock.
            defer { try? slots.close() }
            return try withExtendedLifetime(claims) { () throws(Errno) in
                guard try slots.lockFirstByte() else { return false }
                try FileSystem.rename(FilePath(copy), to: FilePath(dataPath))
                return true
            }
        }
        guard isAlone else {
            throw LMDBError(.alreadyOpen, number: Errno.resourceTemporarilyUnavailable.rawValue)
        }
    }
}

/// A new file.
enum NewFile {
    /// Creates a file that only its owner can read, and opens it for writing.
    ///
    /// - Throws: `.io(EEXIST)` if the file exists; `.diskFull`, `.missing`, `.permission`, `.io`.
    static func create(_ path: String) throws(LMDBError) -> FileDescriptor {
        try translating { () throws(Errno) in
            try .opening(
                FilePath(path),
                .writeOnly,
                options: [.create, .exclusiveCreate],
                permissions: .ownerReadWrite
            )
        }
    }

    /// Gives a new file the rights, the owner and the group of another one.
    ///
    /// - Throws: `.permission` if this process may not give files away; `.io`.
    static func copyOwner(
        of model: FileDescriptor,
        to descriptor: FileDescriptor
    ) throws(LMDBError) {
        let (wanted, found) = try translating { () throws(Errno) in
            (try Stat(model), try Stat(descriptor))
        }
        if (wanted.userID, wanted.groupID) != (found.userID, found.groupID) {
            do {
                try descriptor.setOwner(wanted.userID, wanted.groupID)
            } catch {
                let owner = "\(wanted.userID.rawValue):\(wanted.groupID.rawValue)"
                throw LMDBError(
                    .permission,
                    number: error.rawValue,
                    words: "cannot give the copy to the owner of the catalog, \(owner); "
                        + "do this as that user"
                )
            }
        }
        try translating { () throws(Errno) in
            try descriptor.setPermissions(wanted.permissions)
        }
    }
}
