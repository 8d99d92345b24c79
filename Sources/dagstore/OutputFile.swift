internal import AdminMessages
internal import DAGBytes
internal import DAGMounts
internal import DAGStorage
internal import DAGSystem
internal import SystemPackage

/// A file for a result: it appears as a whole or not at all.
struct OutputFile {
    /// The name that means standard output.
    static let standardOutput = "-"

    private let name: String
    private let path: FilePath

    /// The folder that has the file.
    var folder: FilePath { path.removingLastComponent() }

    /// Makes the file called `name`.
    ///
    /// If the name is a symbolic link, the file that it leads to is replaced, and the link stays.
    init(_ name: String) {
        self.name = name
        let path = FilePath(name).ofClient
        self.path = Self.isLinkToFile(path) ? Kernel.resolved(path) : path
    }

    /// Whether a symbolic link leads to a file, or to a name without one; the links of the system lead to open files.
    private static func isLinkToFile(_ path: FilePath) -> Bool {
        guard (try? Stat(path, followTargetSymlink: false))?.type == .symbolicLink else {
            return false
        }
        let folder = Kernel.resolved(path.removingLastComponent())
        guard !["/proc", "/dev"].contains(where: { folder.starts(with: FilePath($0)) }) else {
            return false
        }
        return Kernel.isRegularOrMissing(Kernel.resolved(path))
    }

    // MARK: Files to keep

    /// The file that `write` would replace; nil if there is none.
    private var present: Stat? {
        guard name != Self.standardOutput, let status = try? Stat(path), status.type == .regular
        else { return nil }
        return status
    }

    /// Rejects an output that is one of the files that it is made of.
    ///
    /// - Throws: `invalidArgument`.
    func rejectInputs(_ inputs: [FilePath]) throws {
        guard let present else { return }
        for input in inputs {
            guard let status = try? Stat(input), status.deviceID == present.deviceID,
                status.inode == present.inode
            else { continue }
            throw rejection("the output is the input \(input)")
        }
    }

    /// Rejects an output in the store's folder, and one that is the CAR of a shard.
    ///
    /// *Cost*: nothing if there is no such file; else a look at all records.
    ///
    /// - Throws: `invalidArgument`; the errors of opening the store.
    func rejectFiles(of options: StoreOptions) throws {
        guard name != Self.standardOutput, Kernel.isRegularOrMissing(path) else { return }
        let place = Kernel.resolved(path)
        guard !place.starts(with: Kernel.resolved(try options.directory)) else {
            throw rejection("the output lies in the store's folder")
        }
        guard present != nil else { return }
        let store = try options.openForReading()
        defer { StoreOptions.closeWaiting(store) }
        var statuses = store.statuses().makeIterator()
        while let status = try statuses.next() {
            guard let mount = try? FileMount(url: status.mountURL),
                mount.path.lastComponent == place.lastComponent,
                Kernel.resolved(mount.path) == place
            else { continue }
            throw rejection("the output is the CAR of the shard \"\(status.key.text.printable)\"")
        }
    }

    private func rejection(_ text: String) -> DAGStoreError {
        DAGStoreError(.invalidArgument, "\(name): \(text)", advice: "name another file")
    }

    // MARK: Writing

    /// Writes `bytes` to a temporary file in the same folder, waits for the disk, and renames it.
    ///
    /// Writes into a device or a pipe instead of replacing it.
    func write(_ bytes: ByteView) throws(OutputError) {
        guard name != Self.standardOutput else { return try Output.write(bytes) }
        do {
            try write { file in try Kernel.writeAll(bytes, to: file) }
        } catch {
            if let error = error as? OutputError { throw error }
            let text = (error as? DAGStoreError)?.message ?? "\(name): \(error)"
            throw .failed(text)
        }
    }

    /// Whether it is a file of which bytes can be written again: no device, no pipe, no standard output.
    var isRegular: Bool { name != Self.standardOutput && Kernel.isRegularOrMissing(path) }

    /// Calls `body` with a temporary file in the same folder, waits for the disk, and renames it.
    ///
    /// A device or a pipe is written to, and not replaced. If `body` throws, an old file stays.
    ///
    /// - Throws: What `body` throws; `OutputError` in place of an `Errno`.
    func write<R>(_ body: (FileDescriptor) throws -> R) throws -> R {
        try path.checkForClient()
        do {
            return try Kernel.isRegularOrMissing(path) ? replace(body) : overwrite(body)
        } catch let error as Errno {
            throw OutputError(error, name)
        }
    }

    /// Calls `body` as `write` does, to write at any offset.
    ///
    /// - Throws: As `write` does; `invalidArgument` for a pipe and for standard output.
    func writeAnywhere<R>(_ body: (FileDescriptor) throws -> R) throws -> R {
        guard name != Self.standardOutput, !Kernel.isPipe(path) || Kernel.isSeekable(path) else {
            throw DAGStoreError(
                .invalidArgument,
                "\(name): is a pipe, and the header of the CAR is written last",
                advice: "name a file"
            )
        }
        return try write(body)
    }

    private func replace<R>(_ body: (FileDescriptor) throws -> R) throws -> R {
        let number = UInt32.random(in: 0...UInt32.max)
        let folder = path.removingLastComponent()
        let temporary = folder.appending(".dagstore-\(ThisProcess.number)-\(number).partial")
        let file = try Self.open(temporary, [.create, .exclusiveCreate, .closeOnExec])
        Interruption.setTemporaryFile(temporary)
        defer { Interruption.setTemporaryFile(nil) }
        let result: R
        do {
            defer { try? file.close() }
            result = try body(file)
            try file.synchronize()
            try FileSystem.rename(temporary, to: path)
        } catch {
            Kernel.remove(temporary)
            throw error
        }
        // The file is complete under its old or its new name, so a folder that cannot be synchronized
        // is not a failure.
        try? FileSystem.synchronize(folder.isEmpty ? "." : folder)
        return result
    }

    private func overwrite<R>(_ body: (FileDescriptor) throws -> R) throws -> R {
        let file = try Self.open(path, [.truncate, .closeOnExec])
        defer { try? file.close() }
        return try body(file)
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
