internal import CDAGLMDB
internal import SystemPackage

/// An error of the database.
///
/// A missing row is never an error: look-ups return nil and deletions false. Two errors are equal when their codes
/// are equal; their numbers may differ.
package struct LMDBError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: Hashable, Sendable {
        /// The map has no room for another page. The transaction is lost, the environment is sound.
        case mapFull
        /// The disk, a quota or a limit on file sizes leaves no room. The environment is sound.
        case diskFull
        /// All reader slots are taken, even after clearing those of dead processes.
        case readersFull
        /// The file is not a database, or is damaged.
        case corrupted
        /// A write failed earlier, or another process needs a larger map. Close the environment and open it again.
        case reopenNeeded
        /// Another format version of LMDB wrote the file.
        case versionMismatch
        /// This process has the environment open already, by this path or another.
        case alreadyOpen
        /// This process may not use the file, the directory or the environment this way.
        case permission
        /// A directory, a file or a table does not exist.
        case missing
        /// The process or the system has no descriptor or memory left.
        case outOfResources
        /// Another process with this process's number has the environment open, in another container.
        case sameProcessNumber
        /// The key has a value and the flag was `noOverwrite`, or `append` was out of order.
        case keyExists
        /// Another error of the system, by `errno`.
        case io(Int32)
        /// Another error of LMDB; see `number`.
        case other
    }

    /// The kind of error.
    package let code: Code
    /// LMDB's number: an `MDB_` code if negative, an `errno` if positive.
    package let number: Int32
    /// A sentence for people, where this module knows more than LMDB.
    package let words: String?

    /// Creates the error for a number of LMDB or the system.
    init(number: Int32) {
        self.init(Self.code(of: number), number: number)
    }

    /// Creates the error for a failed system call.
    init(_ errno: Errno) { self.init(number: errno.rawValue) }

    /// The system's error, if `number` is one.
    var errno: Errno? { number > 0 ? Errno(rawValue: number) : nil }

    /// Creates an error with a code that this module knows better than LMDB.
    ///
    /// - Parameters:
    ///   - code: The kind of error.
    ///   - number: The number of LMDB or the system; 0 if there is none.
    ///   - words: A sentence for people.
    package init(_ code: Code, number: Int32 = 0, words: String? = nil) {
        self.code = code
        self.number = number
        self.words = words
    }

    private static func code(of number: Int32) -> Code {
        switch number {
        case MDB_MAP_FULL: .mapFull
        case MDB_READERS_FULL: .readersFull
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID: .corrupted
        case MDB_PANIC, MDB_MAP_RESIZED: .reopenNeeded
        case MDB_VERSION_MISMATCH: .versionMismatch
        case MDB_KEYEXIST: .keyExists
        case 1...: code(of: Errno(rawValue: number))
        default: .other
        }
    }

    private static func code(of errno: Errno) -> Code {
        switch errno {
        case .noSpace, .diskQuotaExceeded, .fileTooLarge: .diskFull
        case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permission
        case .noSuchFileOrDirectory: .missing
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory: .outOfResources
        default: .io(errno.rawValue)
        }
    }

    /// Compares the codes.
    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }

    /// The code, LMDB's own words and the number.
    package var description: String {
        if let words { return "\(code): \(words)" }
        guard number != 0 else { return "\(code)" }
        // SAFETY: `mdb_strerror` returns a constant string for every number.
        let words = unsafe String(cString: mdb_strerror(number))
        return "\(code): \(words) (\(number))"
    }
}

/// Calls `body`, and converts the system's error into the database's.
func translating<R>(_ body: () throws(Errno) -> R) throws(LMDBError) -> R {
    do {
        return try body()
    } catch {
        throw LMDBError(error)
    }
}

/// Throws the error for `number`, unless `number` is success.
func check(_ number: Int32) throws(LMDBError) {
    guard number == MDB_SUCCESS else { throw LMDBError(number: number) }
}
