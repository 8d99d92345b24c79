#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

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
        var status = stat()
        // SAFETY: the string lives through the call, which fills `status`.
        guard unsafe stat(path, &status) == 0 else { throw LMDBError(number: errno) }
        return Int(status.st_size)
    }

    /// Removes a file; does nothing if there is none.
    ///
    /// - Throws: `.permission`, `.io`.
    package static func remove(_ path: String) throws(LMDBError) {
        // SAFETY: the string lives through the call.
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw LMDBError(number: errno)
    }

    /// Opens a file or a directory to look at it; the caller closes it.
    ///
    /// - Throws: `.missing`, `.permission`, `.outOfResources`, `.io`.
    static func open(_ path: String) throws(LMDBError) -> Int32 {
        // SAFETY: the string lives through the call.
        let descriptor = unsafe NewFile.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(number: errno) }
        return descriptor
    }

    /// Asks the disk to keep a file, or the names in a directory.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.permission`, `.io`.
    package static func sync(_ path: String) throws(LMDBError) {
        let descriptor = try open(path)
        defer { NewFile.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LMDBError(number: errno) }
    }

    /// Asks the disk to keep the names in a directory, as far as that can be asked.
    ///
    /// Some file systems know no such thing for directories, and one above a store may be entered and not read.
    ///
    /// - Throws: `.diskFull`, `.missing`, `.io`.
    package static func syncNames(in directory: String) throws(LMDBError) {
        do {
            try sync(directory)
        } catch {
            guard error.number == EINVAL || error.number == EACCES else { throw error }
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
        // SAFETY: the string lives through the call.
        let slots = unsafe NewFile.open(directory + "/" + lockName, O_RDWR | O_CREAT | O_CLOEXEC)
        guard slots >= 0 else { throw LMDBError(number: errno) }
        // Closing lets go of the lock.
        defer { NewFile.close(slots) }
        try withExtendedLifetime(claims) { () throws(LMDBError) in
            try lockAlone(slots)
            // SAFETY: the strings live through the call.
            guard unsafe rename(copy, dataPath) == 0 else { throw LMDBError(number: errno) }
        }
    }

    /// Locks the slots' file as the only user of an environment does, without waiting.
    private static func lockAlone(_ slots: Int32) throws(LMDBError) {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 0
        lock.l_len = 1
        // SAFETY: the call reads `lock`.
        guard unsafe fcntl(slots, F_SETLK, &lock) != 0 else { return }
        let isTaken = errno == EACCES || errno == EAGAIN
        throw isTaken ? LMDBError(.alreadyOpen, number: errno) : LMDBError(number: errno)
    }
}

/// A file that is made anew.
enum NewFile {
    /// Makes a file that its owner alone can read, and opens it for writing.
    ///
    /// - Throws: `.io(EEXIST)` if there is one; `.diskFull`, `.missing`, `.permission`, `.io`.
    static func create(_ path: String) throws(LMDBError) -> Int32 {
        // SAFETY: the string lives through the call.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LMDBError(number: errno) }
        return descriptor
    }

    /// Gives a new file the rights, the owner and the group of another one.
    ///
    /// - Throws: `.permission` if this process may not give files away; `.io`.
    static func takeOwner(of model: Int32, to descriptor: Int32) throws(LMDBError) {
        var wanted = stat()
        var found = stat()
        // SAFETY: the calls fill the structures.
        guard unsafe fstat(model, &wanted) == 0, unsafe fstat(descriptor, &found) == 0 else {
            throw LMDBError(number: errno)
        }
        if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid),
            fchown(descriptor, wanted.st_uid, wanted.st_gid) != 0
        {
            let owner = "\(wanted.st_uid):\(wanted.st_gid)"
            throw LMDBError(
                .permission,
                number: errno,
                words:
                    "the copy cannot be given to the owner of the catalogue, \(owner): do this as that user"
            )
        }
        guard fchmod(descriptor, wanted.st_mode & 0o7777) == 0 else {
            throw LMDBError(number: errno)
        }
    }

    /// The system's `open`, with the rights that the umask permits.
    @unsafe static func open(_ path: String, _ flags: Int32, _ rights: mode_t = 0o666) -> Int32 {
        #if canImport(Darwin)
            unsafe Darwin.open(path, flags, rights)
        #else
            unsafe Glibc.open(path, flags, rights)
        #endif
    }

    static func close(_ descriptor: Int32) {
        #if canImport(Darwin)
            _ = Darwin.close(descriptor)
        #else
            _ = Glibc.close(descriptor)
        #endif
    }
}
