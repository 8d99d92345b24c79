internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

/// The FILE of a verb about one CAR file.
struct CARArgument: ParsableArguments {
    /// The bytes between two updates of the progress bar.
    private static let progressStep: UInt64 = 1 << 20

    @Argument(help: "A CAR file or pipe, version 1 or 2; - is standard input.")
    var file: String

    @OptionGroup var limits: LimitOptions

    /// The name of the file for people.
    var name: String { file == "-" ? "standard input" : file }

    /// Opens the file for `body`, and puts its name before the message of an error.
    ///
    /// Reads with system calls, because some file systems cannot map files.
    func open(_ body: (CARFile) throws -> Void) throws {
        let path = FilePath(name)
        do {
            try body(try CARFile(try source(path), limits: limits.limits))
        } catch let error as CARError {
            throw DAGStoreError(error).about(path)
        } catch let error as MountError {
            throw DAGStoreError(error).about(path)
        }
    }

    /// Opens the file, or a copy of the bytes that come through a pipe.
    private func source(_ name: FilePath) throws(MountError) -> LocalFile {
        let folder = FilePath(Kernel.variable("TMPDIR") ?? "/tmp")
        guard file != "-" else {
            return try LocalFile(readingAll: .standardInput, name: name, copyingTo: folder)
        }
        guard Kernel.isPipe(name) else { return try LocalFile(opening: name) }
        let pipe: FileDescriptor
        do {
            pipe = try FileDescriptor.open(name, .readOnly, options: .closeOnExec)
        } catch {
            throw MountError(.unreachable, "\(name): \(error)")
        }
        defer { try? pipe.close() }
        return try LocalFile(readingAll: pipe, name: name, copyingTo: folder)
    }

    /// Calls `body` with every section of `car` and its digest, and shows the progress.
    ///
    /// - Returns: The end of the data in the payload.
    static func walk(
        _ car: CARFile,
        _ bar: ProgressBar,
        _ body: (borrowing Section, ByteView) throws -> Void
    ) throws -> UInt64 {
        defer { bar.finish() }
        var walk = car.walk()
        var next: UInt64 = 0
        try walk.forEach { section, digest in
            if section.offset >= next {
                next = section.offset + progressStep
                bar.update(section.offset, of: car.layout.dataSize)
            }
            try body(section, digest)
        }
        return walk.position
    }
}
