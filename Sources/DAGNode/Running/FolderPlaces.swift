#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import SystemPackage

    /// The folders of `--mount-dir` and the store's, without symbolic links.
    struct FolderPlaces: Equatable {
        /// The folders to follow.
        let roots: [FilePath]
        /// The store.
        let store: FilePath

        /// Resolves the folders.
        ///
        /// - Parameters:
        ///   - folders: The folders to follow.
        ///   - store: The directory of the store, which is there.
        /// - Throws: `invalidArgument` if one is no folder, lies in another one or lies in the store.
        init(_ folders: [FilePath], store: FilePath) throws {
            var roots: [FilePath] = []
            let place = FileSystem.resolved(store) ?? store
            for folder in folders {
                guard let root = FileSystem.resolved(folder), FileSystem.isDirectory(root) else {
                    throw Self.fault(folder, "there is no such folder")
                }
                guard !root.starts(with: place) else {
                    throw Self.fault(folder, "it lies in the store, whose files are no sources")
                }
                for other in roots where root.starts(with: other) || other.starts(with: root) {
                    throw Self.fault(folder, "it and \(other) contain the same files")
                }
                roots.append(root)
            }
            self.roots = roots
            self.store = place
        }

        private static func fault(_ folder: FilePath, _ text: String) -> DAGStoreError {
            DAGStoreError(.invalidArgument, "--mount-dir \(folder): \(text)")
        }
    }
#endif
