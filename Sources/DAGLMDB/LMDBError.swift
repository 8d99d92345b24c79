internal import CDAGLMDB
internal import SystemPackage

/// Why the database refused a call.
///
/// A row that is not there is never an error: look-ups answer `nil` and deletions `false`. Two errors are
/// equal when their codes are, so that a test can ask for one without knowing the number.
package struct LMDBError: Error, Sendable {
    /// What went wrong.
    package enum Code: Hashable, Sendable {
        /// The map has no room for another page; the transaction is lost, the environment is well.
        case mapFull
        /// The disk, a quota or a limit on file sizes leaves no room; the environment is well.
        case diskFull
        /// All reader slots are taken, also after those of dead processes were cleared.
        case readersFull
        /// The file is not a database, or is damaged.
        case corrupted
        /// The environment gave up after a failed write, or another process needs a larger map: closing it and opening
        /// it again helps.
        case reopenNeeded
        /// The file was written by another format version of LMDB.
        case versionMismatch
        /// This process has the environment open already, by this path or by another.
        case alreadyOpen
        /// The file, the directory or the environment may not be used this way.
        case permission
        /// A directory, a file or a table does not exist.
        case missing
        /// The process or the system has no descriptor or memory left.
        case outOfResources
        /// Another process with this one's number has the environment open: one in another container.
        case sameProcessNumber
        /// The key has a value and `noOverwrite` was asked, or `append` was asked out of order.
        case keyExists
        /// Any other error of the system, by `errno`.
        case io(Int32)
        /// Any other error of LMDB; `number` tells which.
        case other
    }

    /// The kind of error.
    package let code: Code
    /// The number LMDB gave: an `MDB_` code if negative, an `errno` if positive.
    package let number: Int32
    /// What was found, for people, where it is known better here than by LMDB.
    package let words: String?

    /// Makes the error that stands for a number that LMDB or the system gave.
    init(number: Int32) {
        self.init(Self.code(of: number), number: number)
    }

    /// Makes the error that stands for a failed system call.
    init(_ errno: Errno) { self.init(number: errno.rawValue) }

    /// The system's error, if `number` is one.
    var errno: Errno? { number > 0 ? Errno(rawValue: number) : nil }

    /// Makes an error of a code that is known better here than by LMDB.
    ///
    /// - Parameters:
    ///   - code: The kind of error.
    ///   - number: What LMDB or the system gave; 0 if neither was asked.
    ///   - words: What was found, for people.
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
}

extension LMDBError: Equatable {
    /// Whether the codes are the same.
    package static func == (left: LMDBError, right: LMDBError) -> Bool {
        left.code == right.code
    }
}

extension LMDBError: CustomStringConvertible {
    /// The code, LMDB's own words and the number.
    package var description: String {
        if let words { return "\(code): \(words)" }
        guard number != 0 else { return "\(code)" }
        // SAFETY: `mdb_strerror` answers a constant string for every number.
        let words = unsafe String(cString: mdb_strerror(number))
        return "\(code): \(words) (\(number))"
    }
}

/// Calls `body` and turns the system's error into the database's.
func translating<R>(_ body: () throws(Errno) -> R) throws(LMDBError) -> R {
    do {
        return try body()
    } catch {
        throw LMDBError(error)
    }
}

/// Throws the error that `number` stands for, unless it stands for success.
func check(_ number: Int32) throws(LMDBError) {
    guard number == MDB_SUCCESS else { throw LMDBError(number: number) }
}
