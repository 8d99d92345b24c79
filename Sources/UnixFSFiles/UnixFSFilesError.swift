package import DAGMultiformats

/// Why files cannot become blocks, or blocks files.
///
/// Errors of reading a file are `MountError`, those of a CAR `CARError`, and those of a block `IPLDError`. Two errors
/// are equal when their codes are equal.
package struct UnixFSFilesError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: String, Sendable, CaseIterable {
        /// A socket, a device, a pipe, or a name that is not UTF-8: UnixFS has no form for it.
        case unsupportedFile
        /// Two paths have one name, a path has no name, or the output is inside a path.
        case invalidPaths
        /// A folder is deeper, or a DAG larger, than the limit.
        case limitExceeded
        /// The CAR has several roots or none, and the caller named none.
        case noRoot
        /// The path below the root names nothing.
        case pathNotFound
        /// No section has a block of the DAG.
        case blockNotFound
        /// The bytes of a section are not those that the CID names.
        case hashMismatch
        /// This package cannot compute the hash function of a CID.
        case unsupportedHash
        /// The DAG is not of UnixFS.
        case notUnixFS
        /// A block contradicts itself, or has a name that would lead out of its folder.
        case malformedBlock
        /// The name of an entry is taken.
        case exists
        /// The result cannot be written.
        case outputFailed
    }

    /// The kind of error.
    package let code: Code
    /// The subject and the fault.
    package var message: String
    /// The block it is about, if it is about one.
    package let cid: CID?

    /// Creates an error.
    @inline(never)
    package init(_ code: Code, _ message: String = "", cid: CID? = nil) {
        self.code = code
        self.message = message
        self.cid = cid
    }

    /// Compares the codes.
    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code and the message.
    package var description: String { "\(code.rawValue): \(message)" }
}
