internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

extension FilePath {
    /// The path that names the same file from every working directory.
    ///
    /// - Throws: `invalidArgument` if the working directory is gone.
    func absolute() throws -> FilePath {
        do {
            return try madeAbsolute()
        } catch {
            throw DAGStoreError(
                .invalidArgument,
                "\(self): the working directory is gone",
                advice: "give an absolute path"
            )
        }
    }

    /// The same, of a file that a store will read again.
    ///
    /// - Throws: `invalidArgument` also if no other process can read it by its name.
    func lasting() throws -> FilePath {
        let path = try absolute()
        guard let reason = path.transience else { return path }
        throw DAGStoreError(
            .invalidArgument,
            "\(self): \(reason)",
            advice: "copy the bytes to a file and give its path"
        )
    }
}
