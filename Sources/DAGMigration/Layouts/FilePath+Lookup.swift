internal import DAGMounts
internal import FoundationEssentials
internal import SystemPackage

/// Questions about files and folders that another process may change meanwhile.
extension FilePath {
    /// Whether the path leads to a regular file; symbolic links are followed.
    var isFile: Bool { (try? FileIdentity(at: self)) != nil }

    /// Whether the path leads to a folder.
    var isFolder: Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: string, isDirectory: &isFolder) && isFolder
    }

    /// The size of the file in bytes; 0 if there is no regular file.
    var fileSize: UInt64 { (try? FileIdentity(at: self))?.size ?? 0 }

    /// Lists the names in the folder, or the relative paths of all files below it; sorted.
    ///
    /// - Throws: `.sourceUnreadable`.
    func fileNames(isDeep: Bool = false) throws(MigrationError) -> [String] {
        let files = FileManager.default
        do {
            let names =
                try isDeep
                ? files.subpathsOfDirectory(atPath: string)
                : files.contentsOfDirectory(atPath: string)
            return names.sorted()
        } catch {
            throw unreadable(error)
        }
    }

    /// Distinguishes a folder that does not exist from one that this process may not read.
    private func unreadable(_ error: any Error) -> MigrationError {
        let detail =
            switch (error as? CocoaError)?.code {
            case .fileReadNoSuchFile?, .fileNoSuchFile?: "there is no such folder"
            case .fileReadNoPermission?: "this process may not read the folder"
            default: "this is not a readable folder"
            }
        return MigrationError(.sourceUnreadable, self, detail)
    }

    /// Returns the first of `folders` that contains a file of this name; nil if none does.
    ///
    /// - Throws: `.sourceUnreadable` if this process may not look, so that the caller does not find another layout.
    static func first(
        of folders: [FilePath],
        with name: String
    ) throws(MigrationError) -> FilePath? {
        for folder in folders {
            let path = folder.appending(name)
            do throws(MountError) {
                _ = try FileIdentity(at: path)
                return folder
            } catch {
                guard error.code != .gone, !path.isFolder else { continue }
                throw MigrationError(.sourceUnreadable, path, error.detail)
            }
        }
        return nil
    }
}
