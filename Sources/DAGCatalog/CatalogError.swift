package import DAGLMDB
package import ShardIndex

/// An error of the catalog.
///
/// Two errors are equal when their codes are.
package struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: String, Sendable {
        /// There is no catalog, and this opening may not create one.
        case missing
        /// The catalog, or an index in it, is damaged.
        case corrupt
        /// The map or the disk is full; the catalog is unchanged.
        case full
        /// Another process or object has the catalog open for writing.
        case locked
        /// A newer version wrote it.
        case tooNew
        /// The catalog cannot be written: it was opened read-only, this process lacks the permission, or a commit
        /// failed before.
        case readOnly
        /// The key is taken.
        case exists
        /// The disk failed.
        case io
        /// The process or the system has no descriptor, memory or thread left.
        case outOfResources
        /// The readers of all processes use all slots.
        case tooManyReaders
        /// A write failed earlier, or the catalog has outgrown the address space that this process reserved. Close
        /// the store and open it again.
        case reopenNeeded
    }

    /// The kind of error.
    package let code: Code
    /// A sentence for people.
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
            case .mapFull:
                "the map of the catalog is full; increase the map size of the configuration"
            case .diskFull: "the disk is full, or a quota or a limit on file sizes is reached"
            case .sameProcessNumber:
                "a process of another container has the store open, and has the process number of this one; "
                    + "give the containers one namespace of process numbers"
            case .readersFull:
                "all slots for readers are taken; close other processes that read the store"
            case .reopenNeeded:
                "a write of the catalog failed, or the catalog has outgrown the reserved address space; "
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
