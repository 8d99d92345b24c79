internal import DAGBytes
internal import DAGHashing
internal import DAGMounts
internal import DAGSystem
internal import FoundationEssentials
public import SystemPackage

/// What becomes of the copies of CARs that the source has.
///
/// A copy that is taken is read instead of the shard's mount; the store never removes it.
public struct TransientTaking: Sendable {
    /// How copies are taken.
    public enum Way: String, Sendable {
        /// Each byte is copied.
        case copy
        /// Each gets a second name, which the source's file system must allow.
        case link
    }

    /// How they are taken.
    let way: Way
    /// Where they go: a folder, absolute, which is made if it is not there.
    let folder: FilePath

    /// Copies are taken into `folder`.
    public init(_ way: Way, into folder: FilePath) {
        precondition(folder.isAbsolute, "copies in a relative folder")
        self.way = way
        self.folder = folder
    }

    /// Takes one copy; it is on disk when this returns.
    ///
    /// *Cost*: for `copy`, the bytes of the CAR are read and written.
    ///
    /// - Parameters:
    ///   - transient: The source's copy.
    ///   - key: The shard's key, by which it is named here: copies of two sources may have one name.
    /// - Returns: Where it is now.
    /// - Throws: `.sourceChanged` if the source's copy has gone, `.sourceUnreadable`; `.destinationUnwritable`, `.full`.
    func take(_ transient: FilePath, of key: String) throws(MigrationError) -> FilePath {
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
            // What an interrupted run left, or one whose shard did not come over.
            for old in [partial, place] where MigrationSource.isFile(old) {
                try files.removeItem(atPath: old.string)
            }
            // Of a symbolic link, what it leads to: a copy of the link would be the node's to break.
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
            // A node may remove its copy at any moment, also while it is read.
            try Self.checkReadable(transient)
            throw MigrationError(code, place, "\(error)")
        }
        return place
    }

    /// Tells a copy that is gone, or that this process may not read, from a place that cannot be written.
    private static func checkReadable(_ transient: FilePath) throws(MigrationError) {
        do {
            try FileDescriptor.open(transient, .readOnly, options: .closeOnExec).close()
        } catch Errno.noSuchFileOrDirectory {
            throw MigrationError(.sourceChanged, transient, "the source's copy of a CAR has gone")
        } catch {
            throw MigrationError(.sourceUnreadable, transient, "\(error)")
        }
    }

    /// A name for the copy of a shard: its key with `%XX` for what a name should not have, and a checksum if that is
    /// too long.
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
