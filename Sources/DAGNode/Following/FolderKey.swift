#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import SystemPackage

    /// The names in a folder that the follower takes.
    ///
    /// A key is the file's path below the folder, without `.car`: `deals/one.car` has the key `deals/one`. Two files of
    /// a folder have two paths, and so two keys.
    enum FolderKey {
        /// The end of the names of CARs; capital letters differ.
        static let suffix = ".car"

        /// Why a file has no key.
        enum Fault: Error, Equatable {
            case notUTF8
            case tooLong
        }

        /// Returns whether a name is hidden, as programs name their temporary files and folders.
        static func isHidden(_ name: FilePath) -> Bool {
            name.bytes.first == UInt8(ascii: ".")
        }

        /// Returns whether a name is a CAR's.
        static func isCAR(_ name: FilePath) -> Bool {
            name.bytes.count > suffix.utf8.count
                && name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        }

        /// Returns the key of a CAR.
        ///
        /// - Parameters:
        ///   - path: The file; its name ends with `.car`.
        ///   - root: The folder, which `path` begins with.
        /// - Returns: The key.
        /// - Throws: `Fault`.
        static func key(of path: FilePath, below root: FilePath) throws(Fault) -> ShardKey {
            var rest = path
            guard rest.removePrefix(root), let text = String(validating: rest) else {
                throw .notUTF8
            }
            // By bytes, because a letter after the suffix could join with it.
            let key = String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
            guard let key = try? ShardKey(key) else { throw .tooLong }
            return key
        }
    }
#endif
