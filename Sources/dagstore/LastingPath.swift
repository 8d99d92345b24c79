internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

extension FilePath {
    /// Returns the absolute path.
    ///
    /// - Throws: `invalidArgument` if the working directory is gone.
    func absolute() throws -> FilePath {
        do {
            return try madeAbsolute()
        } catch {
            throw DAGStoreError(
                .invalidArgument,
                "\(self): the working directory no longer exists",
                advice: "give an absolute path"
            )
        }
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
