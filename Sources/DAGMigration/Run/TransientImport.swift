internal import DAGBytes
internal import DAGHashing
internal import DAGMounts
internal import DAGSystem
internal import FoundationEssentials
package import SystemPackage

/// Imports the transients of a source.
///
/// The store reads an imported transient in place of the shard's mount, and never removes it.
package struct TransientImport: Sendable {
    /// The ways to import a file.
    package enum Way: String, Sendable {
        /// Copies the bytes.
        case copy
        /// Adds a hard link; both folders must be on one file system.
        case link
    }

    /// The way in which files are imported.
    let way: Way
    /// The folder of the imported files, absolute; it is created if it does not exist.
    let folder: FilePath

    /// Imports files into `folder`.
    package init(_ way: Way, into folder: FilePath) {
        precondition(folder.isAbsolute, "the folder of imported transients must be absolute")
        self.way = way
        self.folder = folder
    }

    /// Imports one transient, and waits until it is on disk.
    ///
    /// *Cost*: `copy` reads and writes the bytes of the CAR.
    ///
    /// - Parameters:
    ///   - transient: The source's file.
    ///   - key: The shard's key, which names the imported file, because files of two sources may have the same name.
    /// - Returns: The path of the imported file.
    /// - Throws: `.sourceChanged` if the source's file was removed, `.sourceUnreadable`; `.destinationUnwritable`,
    ///   `.full`.
    func importFile(_ transient: FilePath, of key: String) throws(MigrationError) -> FilePath {
        let name = Self.name(of: key)
        let place = folder.appending(name)
        let partial = folder.appending(name + ".partial")
        let files = FileManager.default
        try Self.checkReadable(transient)
        do {
            try files.createDirectory(
                atPath: folder.string,
                withIntermediateDirectories: true
            )
            // An interrupted run left them, or a run that refused the shard.
            for old in [partial, place] where old.isFile {
                try files.removeItem(atPath: old.string)
            }
            // Links are resolved: the node could remove the target of a copied link.
            let original = URL(filePath: transient.string).resolvingSymlinksInPath().path
            switch way {
            case .copy: try files.copyItem(atPath: original, toPath: partial.string)
            case .link: try files.linkItem(atPath: original, toPath: partial.string)
            }
            let file = try FileDescriptor.open(partial, .readOnly, options: .closeOnExec)
            defer { try? file.close() }
            try file.synchronize()
            try FileSystem.rename(partial, to: place)
            try FileSystem.synchronize(folder)
        } catch {
            let isFull =
                (error as? CocoaError)?.code == .fileWriteOutOfSpace
                || (error as? Errno) == .noSpace
            let code: MigrationError.Code = isFull ? .full : .destinationUnwritable
            // A node may remove its file at any moment, also while it is read.
            try Self.checkReadable(transient)
            throw MigrationError(code, place, "\(error)")
        }
        return place
    }

    /// Throws if the source's file is gone or unreadable, so that the caller does not report the destination.
    private static func checkReadable(_ transient: FilePath) throws(MigrationError) {
        do {
            try FileDescriptor.open(transient, .readOnly, options: .closeOnExec).close()
        } catch Errno.noSuchFileOrDirectory {
            throw MigrationError(.sourceChanged, transient, "the source removed the transient")
        } catch {
            throw MigrationError(.sourceUnreadable, transient, "\(error)")
        }
    }

    /// Returns the name of a shard's imported file: its escaped key, shortened and with a checksum if it is too long.
    static func name(of key: String) -> String {
        let escaped = PercentEscapes.escaped(Array(key.utf8)).replacing("/", with: "%2F")
        let suffix = ".car"
        guard escaped.utf8.count + suffix.utf8.count > nameSizeMax else { return escaped + suffix }
        let checksum = Array(key.utf8).withView { Checksum.xxh64($0) }
        let start = escaped.prefix(nameSizeMax - suffix.utf8.count - 17)
        return "\(start)-\(String(checksum, radix: 16))\(suffix)"
    }

    private static let nameSizeMax = 200
}
