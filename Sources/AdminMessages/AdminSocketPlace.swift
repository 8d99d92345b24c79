internal import DAGBytes
internal import DAGHashing
internal import DAGSystem
package import SystemPackage

/// Where the node of a store has its admin socket.
///
/// ```
/// store/admin.sock                         where the path has at most 107 bytes, as a socket's must
/// store/admin.address                      else the path of the socket, and no newline;
/// runtime folder/NAME.sock                 the socket then, named after the store's path
/// ```
///
/// The runtime folder is `$XDG_RUNTIME_DIR/dagstore`, or `/tmp/dagstore-USER` where that variable names no folder. It
/// has mode 0700.
package struct AdminSocketPlace: Sendable, Equatable {
    /// The longest path of a socket, in bytes.
    package static let pathSizeMax = 107
    /// The socket's name in the store's folder.
    package static let name = "admin.sock"
    /// The name of the file with the path of a socket that is elsewhere.
    package static let addressName = "admin.address"

    /// The socket.
    package let path: FilePath
    /// The folder of a socket that is not in the store's folder.
    package let runtimeFolder: FilePath?

    /// Returns the place that a node uses.
    ///
    /// - Parameter store: The store's directory, as an absolute path.
    package init(store: FilePath) {
        let path = store.appending(Self.name)
        guard path.string.utf8.count > Self.pathSizeMax else {
            self.path = path
            runtimeFolder = nil
            return
        }
        let given = ThisProcess.environmentVariable("XDG_RUNTIME_DIR").flatMap { text in
            text.hasPrefix("/") && text.utf8.count < 60 ? FilePath(text) : nil
        }.flatMap { (try? Stat($0))?.type == .directory ? $0 : nil }
        let folder =
            given?.appending("dagstore") ?? FilePath("/tmp/dagstore-\(ThisProcess.userNumber)")
        runtimeFolder = folder
        let digits = String(Array(store.string.utf8).withView { Checksum.xxh64($0) }, radix: 16)
        let name = String(repeating: "0", count: 16 - digits.count) + digits
        self.path = folder.appending("\(name).sock")
    }

    /// Returns the socket of a store's node, if there may be one.
    ///
    /// - Parameter store: The store's directory.
    /// - Returns: The path of a socket, which a dead node may have left; nil if there is none.
    package static func find(in store: FilePath) -> FilePath? {
        let path = store.appending(name)
        if path.string.utf8.count <= pathSizeMax, (try? Stat(path))?.type == .socket { return path }
        guard let bytes = try? FileSystem.contents(of: store.appending(addressName), sizeMax: 4096),
            let text = String(validating: bytes, as: UTF8.self), text.hasPrefix("/"),
            text.utf8.count <= pathSizeMax
        else { return nil }
        return FilePath(text)
    }

    /// Makes the runtime folder, if there is to be one.
    ///
    /// - Throws: `Errno`; `.permissionDenied` if the folder is another user's, or open to others.
    package func prepare() throws(Errno) {
        guard let runtimeFolder else { return }
        do {
            try FileSystem.makeDirectory(runtimeFolder, permissions: .ownerReadWriteExecute)
        } catch {
            guard error == .fileExists else { throw error }
        }
        let status = try Stat(runtimeFolder, followTargetSymlink: false)
        let others: FilePermissions = [.groupReadWriteExecute, .otherReadWriteExecute]
        guard status.type == .directory, status.userID.rawValue == ThisProcess.userNumber,
            status.permissions.isDisjoint(with: others)
        else { throw .permissionDenied }
    }
}
