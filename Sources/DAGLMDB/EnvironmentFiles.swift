internal import DAGSystem
internal import SystemPackage

/// The files of an environment, apart from any environment that is open.
package enum EnvironmentFiles {
    /// The name of the data file in its directory.
    package static let dataName = "data.mdb"
    /// The name of the file with the readers' slots.
    static let lockName = "lock.mdb"

    /// The size of a file in bytes.
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

    /// Opens a file or a directory to look at it; the caller closes it.
    ///
    /// - Throws: `.missing`, `.permission`, `.outOfResources`, `.io`.
    static func open(_ path: String) throws(LMDBError) -> FileDescriptor {
        try translating { () throws(Errno) in try .opening(FilePath(path)) }
    }

    /// Asks the disk to keep a file, or the names in a directory.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.permission`, `.io`.
    package static func sync(_ path: String) throws(LMDBError) {
        try translating { () throws(Errno) in try FileSystem.synchronize(FilePath(path)) }
    }

    /// Asks the disk to keep the names in a directory, as far as that can be asked.
    ///
    /// Some file systems know no such thing for directories, and one above a store may be entered and not read.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.io`.
    package static func syncNames(in directory: String) throws(LMDBError) {
        try translating { () throws(Errno) in
            try FileSystem.synchronizeIfPossible(directory: FilePath(directory))
        }
    }

    /// Puts a copy in the place of an environment's data file.
    ///
    /// Nobody may have the environment open, in any process: LMDB keeps the number of the last
    /// transaction beside the readers' slots, and whoever kept them open would hand the number of
    /// the old file on to those who open the new one. So the slots' file is locked as LMDB locks it
    /// when it is alone. A process that opens the environment at this moment waits until it is
    /// done.
    ///
    /// - Parameters:
    ///   - directory: The environment's directory.
    ///   - copy: The path of the copy, in the same directory; it has no other name afterwards.
    /// - Throws: `.alreadyOpen` if anybody has it open; `.missing`, `.permission`, `.io`. The data
    ///   file is the old one then.
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

/// A file that is made anew.
enum NewFile {
    /// Makes a file that its owner alone can read, and opens it for writing.
    ///
    /// - Throws: `.io(EEXIST)` if there is one; `.diskFull`, `.missing`, `.permission`, `.io`.
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
                    words: "the copy cannot be given to the owner of the catalog, \(owner); "
                        + "do this as that user"
                )
            }
        }
        try translating { () throws(Errno) in
            try descriptor.setPermissions(wanted.permissions)
        }
    }
}
