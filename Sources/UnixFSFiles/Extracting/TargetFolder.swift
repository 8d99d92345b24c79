internal import DAGMounts
internal import DAGSystem
internal import SystemPackage

/// An open folder in which entries are made; the last reference closes it.
///
/// Each entry is made anew: a name that is taken, by whatever, is an error. So nothing is replaced, nothing is written
/// through a link, and two names that the disk takes for one do not meet in one file.
///
/// *Concurrency*: one thread.
final class TargetFolder {
    private let descriptor: FileDescriptor
    /// The path for errors.
    let path: String
    /// The path, whose names may be no UTF-8.
    private let place: FilePath

    /// Opens the folder at the caller's path, and makes it if it is missing.
    ///
    /// - Throws: `.outputFailed`.
    init(_ path: FilePath) throws(UnixFSFilesError) {
        self.path = path.string
        place = path
        do {
            do {
                try FileSystem.makeDirectory(path)
            } catch .fileExists {}
            descriptor = try .opening(path, options: .directory)
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(path): \(error)")
        }
    }

    /// Makes a folder, and opens it.
    ///
    /// - Throws: `.malformedBlock`, `.exists`, `.outputFailed`.
    init(_ name: [UInt8], in folder: TargetFolder) throws(UnixFSFilesError) {
        path = folder.path(of: name)
        place = folder.place(of: name)
        descriptor = try folder.make(name) { () throws(Errno) in
            try folder.descriptor.createFolder(name)
            return try folder.descriptor.openEntry(name, isFolder: true)
        }
    }

    deinit { try? descriptor.close() }

    /// Returns the path of an entry, for people.
    func path(of name: [UInt8]) -> String { "\(path)/\(String(decoding: name, as: UTF8.self))" }

    /// Returns the path of an entry, with the bytes of its name.
    func place(of name: [UInt8]) -> FilePath { FilePath(bytes: place.bytes + [0x2f] + name) }

    /// Makes a file, and opens it for writing.
    ///
    /// - Returns: The file, which the caller closes.
    /// - Throws: `.malformedBlock`, `.exists`, `.outputFailed`.
    func makeFile(_ name: [UInt8]) throws(UnixFSFilesError) -> FileDescriptor {
        try make(name) { () throws(Errno) in try descriptor.createFile(name) }
    }

    /// Makes a symbolic link, wherever it leads.
    ///
    /// - Throws: `.malformedBlock`, `.exists`, `.outputFailed`.
    func makeLink(_ name: [UInt8], to target: [UInt8]) throws(UnixFSFilesError) {
        guard !target.isEmpty, !target.contains(0) else {
            throw UnixFSFilesError(
                .malformedBlock,
                "\(path(of: name)): is a symlink to an empty path, or to one with a NUL"
            )
        }
        try make(name) { () throws(Errno) in try descriptor.createLink(name, to: target) }
    }

    /// Removes a file that was made here and is not complete.
    func removeFile(_ name: [UInt8]) { try? descriptor.removeEntry(name) }

    private func make<R>(
        _ name: [UInt8],
        _ body: () throws(Errno) -> R
    ) throws(UnixFSFilesError) -> R {
        guard Self.isSafe(name) else {
            throw UnixFSFilesError(
                .malformedBlock,
                "\(path(of: name)): an entry of the directory has a name that would lead out of its folder"
            )
        }
        do {
            return try body()
        } catch .fileExists {
            throw UnixFSFilesError(
                .exists,
                "\(path(of: name)): exists already, or the disk takes two names of the directory for one"
            )
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(path(of: name)): \(error)")
        }
    }

    /// Whether a name is that of an entry, and leads nowhere else.
    static func isSafe(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name != [0x2e] && name != [0x2e, 0x2e] && !name.contains(0)
            && !name.contains(0x2f)
    }
}
