#if Node
    internal import DAGStorage
    internal import Logging
    internal import SystemPackage

    /// Something that the follower of a folder did or found.
    struct FolderNotice: Hashable, Sendable {
        /// The kinds.
        enum Kind: String, Sendable {
            case registered, recovered
            case registrationFailed, recoveryFailed
            /// A file was removed or moved away.
            case fileGone
            /// The file of a shard has other bytes.
            case fileReplaced
            /// Another shard has the key.
            case keyTaken
            case nameNotUTF8, nameTooLong
            case symbolicLink, notRegular, unreadable
            case folderUnreadable, watchLimitReached
            case changesLost, folderGone, folderReplaced, following, followingEnded
            /// The node lacks something for an operation.
            case waits
        }

        /// The kind.
        let kind: Kind
        /// The file or folder.
        let path: FilePath
        /// The shard's key.
        var key: ShardKey?
        /// The reason, where there is one.
        var reason: String?
        /// The code of an error of the store.
        var code: String?

        init(_ kind: Kind, _ path: FilePath, _ key: ShardKey? = nil, reason: String? = nil) {
            self.kind = kind
            self.path = path
            self.key = key
            self.reason = reason
        }

        init(_ kind: Kind, _ path: FilePath, _ key: ShardKey, _ error: DAGStoreError) {
            self.init(kind, path, key, reason: error.message)
            code = error.code.name
        }

        /// How important it is.
        var level: Logger.Level {
            switch kind {
            case .registered, .recovered, .following: .info
            case .fileGone, .fileReplaced, .changesLost, .folderReplaced: .notice
            case .registrationFailed, .recoveryFailed, .folderGone, .followingEnded: .error
            case .keyTaken, .nameNotUTF8, .nameTooLong, .symbolicLink, .notRegular, .unreadable,
                .folderUnreadable, .watchLimitReached, .waits:
                .warning
            }
        }

        /// The sentence for people.
        var message: String {
            switch kind {
            case .registered: "registered a CAR"
            case .recovered: "recovered the shard of a file"
            case .registrationFailed:
                "could not register a CAR; the node tries again when the file changes"
            case .recoveryFailed:
                "could not recover a shard; the node tries again when the file changes"
            case .fileGone: "the file of a shard is gone; the shard stays, and its reads fail"
            case .fileReplaced: "the file of a shard has other bytes; the node recovers the shard"
            case .keyTaken: "another file has the key of this CAR; rename one of them"
            case .nameNotUTF8: "the name of a CAR is not UTF-8, so it has no key; rename the file"
            case .nameTooLong:
                "the path of a CAR makes a key of more than \(ShardKey.sizeMax) bytes; shorten it"
            case .symbolicLink:
                "the node follows no symbolic links; move the file here, or link it hard"
            case .notRegular: "a CAR must be a regular file"
            case .unreadable:
                "the node may not read a CAR; change its rights, and the node tries again"
            case .folderUnreadable: "the node cannot read a folder; its CARs are not registered"
            case .watchLimitReached:
                "the system watches no more folders: raise fs.inotify.max_user_watches, or set --rescan-interval"
            case .changesLost: "the system lost changes of the folder; the node scans it again"
            case .folderGone: "the folder is gone; its shards stay, and the node looks for it again"
            case .folderReplaced:
                "a folder was replaced, mounted or unmounted; the node scans it again"
            case .waits: "the node lacks what a CAR needs; it tries again soon"
            case .following: "follows a folder"
            case .followingEnded: "follows a folder no more; restart the node"
            }
        }

        /// The metadata of the log line.
        var metadata: Logger.Metadata {
            var metadata: Logger.Metadata = ["path": "\(path)"]
            if let key { metadata["shard"] = "\(key)" }
            if let reason { metadata["reason"] = "\(reason)" }
            if let code { metadata["code"] = "\(code)" }
            return metadata
        }
    }
#endif
