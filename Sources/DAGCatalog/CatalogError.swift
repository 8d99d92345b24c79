package import DAGLMDB
package import ShardIndex

/// Why the catalogue could not do what was asked.
///
/// Two errors are equal when their codes are.
package struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Code: String, Sendable {
        /// There is no catalogue, and it may not be made.
        case missing
        /// The catalogue, or an index in it, is not what was written.
        case corrupt
        /// The map or the disk is full; nothing was changed.
        case full
        /// Somebody else has it open for writing.
        case locked
        /// A newer version wrote it.
        case tooNew
        /// It cannot be written: opened so, no permission, or a commit failed before.
        case readOnly
        /// The key is taken.
        case exists
        /// The disk failed.
        case io
        /// The process or the system has no descriptor, memory or thread left.
        case outOfResources
        /// Readers of all processes hold all slots.
        case tooManyReaders
        /// The environment gave up, or has outgrown what this process reserved; it must be closed and opened again.
        case reopenNeeded
    }

    /// The kind of error.
    package let code: Code
    /// What was found, for people.
    package let detail: String

    @inline(never)
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    @inline(never)
    package init(_ error: LMDBError) {
        let code: Code =
            switch error.code {
            case .mapFull, .diskFull: .full
            case .corrupted: .corrupt
            case .versionMismatch: .tooNew
            case .alreadyOpen, .sameProcessNumber: .locked
            case .permission: .readOnly
            case .missing: .missing
            case .keyExists: .exists
            case .outOfResources: .outOfResources
            case .readersFull: .tooManyReaders
            case .reopenNeeded: .reopenNeeded
            default: .io
            }
        let detail =
            switch error.code {
            case .mapFull: "the catalogue's map is full: see the map size of the configuration"
            case .diskFull: "the disk is full, or a quota or a limit on file sizes is reached"
            case .sameProcessNumber:
                "a process of another container has this one's number and the store open: "
                    + "give the containers one namespace of process numbers"
            case .readersFull:
                "all slots for readers are taken: close other processes that read the store"
            case .reopenNeeded:
                "a write of the catalogue failed, or it has outgrown what this process reserved: "
                    + "close the store and open it again"
            default: error.description
            }
        self.init(code, detail)
    }

    @inline(never)
    package init(_ error: ShardIndexError) {
        self.init(error.code == .unsupportedVersion ? .tooNew : .corrupt, error.description)
    }

    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    package var description: String { detail }
}
