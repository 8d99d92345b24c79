internal import AdminMessages
internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

extension FilePath {
    /// Returns the absolute path.
    ///
    /// - Throws: `invalidArgument` if the working directory is gone.
    func absolute() throws -> FilePath {
        if let client = Console.client {
            let folder = FilePath(client.request.directory)
            if isAbsolute || folder.isAbsolute { return madeAbsolute(in: folder) }
        } else if let path = try? madeAbsolute() {
            return path
        }
        throw DAGStoreError(
            .invalidArgument,
            "\(self): the working directory no longer exists",
            advice: "give an absolute path"
        )
    }

    /// Checks that a file that a node opens for a client is the client's.
    ///
    /// - Throws: `invalidArgument` for a pipe, a device or a descriptor, which would be the node's own.
    func checkForClient() throws {
        guard Console.client != nil, let reason = transience else { return }
        throw DAGStoreError(
            .invalidArgument,
            "\(self): \(reason), and the node that has the store open cannot use it",
            advice: "give - or a file"
        )
    }

    /// The path as it is; for a client of a node, the path in the client's working directory.
    var ofClient: FilePath {
        guard Console.client != nil else { return self }
        return (try? absolute()) ?? self
    }

    /// Returns the absolute path of a file that other processes can read by its name.
    ///
    /// - Throws: `invalidArgument`, also for a pipe and for a descriptor of this process.
    func lastingPath() throws -> FilePath {
        let path = try absolute()
        guard let reason = path.transience else { return path }
        throw DAGStoreError(
            .invalidArgument,
            "\(self): \(reason)",
            advice: "copy the bytes to a file and give its path"
        )
    }
}
