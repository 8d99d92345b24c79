internal import DAGBytes
internal import DAGSystem
internal import SystemPackage

/// A file for a result: it appears as a whole or not at all.
struct OutputFile {
    /// The name that means standard output.
    static let standardOutput = "-"

    private let name: String
    private let path: FilePath

    /// Makes the file called `name`.
    init(_ name: String) {
        self.name = name
        path = FilePath(name)
    }

    /// Writes `bytes` to a temporary file in the same folder, waits for the disk, and renames it.
    ///
    /// Writes into a device, a pipe or a symbolic link instead of replacing it.
    func write(_ bytes: ByteView) throws(OutputError) {
        guard name != Self.standardOutput else { return try Output.write(bytes) }
        do throws(Errno) {
            if Kernel.isRegularOrMissing(path) {
                try replace(bytes)
            } else {
                try overwrite(bytes)
            }
        } catch {
            throw OutputError(error, name)
        }
    }

    private func replace(_ bytes: ByteView) throws(Errno) {
        let number = UInt32.random(in: 0...UInt32.max)
        let folder = path.removingLastComponent()
        let temporary = folder.appending(".dagstore-\(ThisProcess.number)-\(number).partial")
        let file = try Self.open(temporary, [.create, .exclusiveCreate, .closeOnExec])
        Interruption.setTemporaryFile(temporary)
        defer { Interruption.setTemporaryFile(nil) }
        do throws(Errno) {
            defer { try? file.close() }
            try Kernel.writeAll(bytes, to: file)
            try file.synchronize()
            try FileSystem.rename(temporary, to: path)
        } catch {
            Kernel.remove(temporary)
            throw error
        }
        // The file is complete under its old or its new name, so a folder that cannot be synchronized
        // is not a failure.
        try? FileSystem.synchronize(folder.isEmpty ? "." : folder)
    }

    private func overwrite(_ bytes: ByteView) throws(Errno) {
        let file = try Self.open(path, [.truncate, .closeOnExec])
        defer { try? file.close() }
        try Kernel.writeAll(bytes, to: file)
    }

    private static func open(
        _ path: FilePath,
        _ options: FileDescriptor.OpenOptions
    ) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path,
                .writeOnly,
                options: options,
                permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
            )
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
