internal import FoundationEssentials
internal import SystemPackage

/// The names in a Go node's folder of index files.
enum IndexRepository {
    /// What follows the key in the name of an index file.
    static let suffix = ".full.idx"
    /// The name of the file that contains the repository's version.
    static let versionName = ".version"
    /// The one version that exists.
    static let version = Array("1".utf8)

    /// Checks the version of the repository in `folder`, if it names one.
    ///
    /// - Throws: `.unsupportedVersion`.
    static func checkVersion(of folder: FilePath) throws(MigrationError) {
        let path = folder.appending(versionName)
        guard let bytes = FileManager.default.contents(atPath: path.string) else { return }
        guard bytes.elementsEqual(version) else {
            let text = String(decoding: bytes.prefix(32), as: UTF8.self)
            let detail = "the index repository has version \(text), and only version 1 can be read"
            throw MigrationError(.unsupportedVersion, path, detail)
        }
    }

    /// Whether the reference can make a file of this key's name in its index folder.
    static func isFileName(_ key: String) -> Bool {
        let size = key.utf8.count + suffix.utf8.count
        return size <= 255 && !key.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    /// Finds the place of a key's index.
    ///
    /// The reference uses keys as file names unchanged, so `../x` leads out of the index folder.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - indexes: The index folder, `root` or a folder below it.
    ///   - root: The folder in which everything lies.
    /// - Returns: The path relative to `root`, normalized; nil if it leads out of `root`.
    static func path(of key: String, in indexes: FilePath, below root: FilePath) -> FilePath? {
        guard !key.utf8.contains(0) else { return nil }
        var path = FilePath()
        path.components.append(contentsOf: indexes.components.dropFirst(root.components.count))
        path.components.append(contentsOf: FilePath(key + suffix).components)
        path.lexicallyNormalize()
        return path.components.first?.kind == .regular ? path : nil
    }
}
