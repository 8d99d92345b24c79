#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import SystemPackage

    extension FolderFollower {
        /// Watches a directory and those below it, and looks at all CARs there.
        ///
        /// It watches a directory before it lists it, so that no name is missed between the two.
        func scan(_ top: FilePath) {
            var directories = [top]
            while let directory = directories.popLast(), !inbox.isStopping {
                guard watchDirectory(directory) else { continue }
                do {
                    try FileSystem.forEachName(in: directory) { name, kind in
                        guard !FolderKey.isHidden(name) else { return true }
                        let path = directory.appending(name.components)
                        if visit(path, name, kind) { directories.append(path) }
                        return !inbox.isStopping
                    }
                } catch {
                    notifyUnreadable(directory, error)
                }
            }
        }

        /// Looks at a name.
        ///
        /// - Returns: Whether it is a directory to scan.
        private func visit(
            _ path: FilePath,
            _ name: FilePath,
            _ kind: FileSystem.EntryKind
        ) -> Bool {
            switch kind {
            case .directory: return isOutsideStore(path)
            case .file, .other:
                if FolderKey.isCAR(name) { look(path, .found) }
                return false
            case .link:
                if FolderKey.isCAR(name) || FileSystem.isDirectory(path) {
                    notify(FolderNotice(.symbolicLink, path))
                }
                return false
            case .unknown:
                switch (try? Stat(path, followTargetSymlink: false))?.type {
                case .directory: return visit(path, name, .directory)
                case .symbolicLink: return visit(path, name, .link)
                case nil: return false
                default: return visit(path, name, .file)
                }
            }
        }

        /// Returns whether a directory is another one than the store's.
        func isOutsideStore(_ directory: FilePath) -> Bool {
            guard let storeIdentity else { return true }
            return FileNumber(at: directory) != storeIdentity
        }

        /// Watches a directory.
        ///
        /// - Returns: Whether to list it.
        private func watchDirectory(_ directory: FilePath) -> Bool {
            do {
                tree.add(try watch.add(directory), directory)
                if directory == setup.root, isRootGone {
                    isRootGone = false
                    notify(FolderNotice(.following, setup.root))
                }
            } catch {
                guard error == .noSpace else {
                    notifyUnreadable(directory, error)
                    return false
                }
                // Its CARs of now can be registered all the same.
                if !isWatchLimitReached { notify(FolderNotice(.watchLimitReached, directory)) }
                isWatchLimitReached = true
            }
            return true
        }

        private func notifyUnreadable(_ directory: FilePath, _ error: Errno) {
            switch error {
            // It is gone again, or is a link now.
            case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels:
                if directory == setup.root { rootIsGone() }
            default: notify(FolderNotice(.folderUnreadable, directory, reason: "\(error)"))
            }
        }

        // MARK: One file

        /// Looks at a file, and registers, probes or recovers its shard if needed.
        func look(_ path: FilePath, _ cause: Cause) {
            let key: ShardKey
            do {
                key = try FolderKey.key(of: path, below: setup.root)
            } catch {
                let kind: FolderNotice.Kind = error == .notUTF8 ? .nameNotUTF8 : .nameTooLong
                return notify(FolderNotice(kind, path))
            }
            guard operations[key] == nil else {
                if cause != .found { again[key] = (path, cause) }
                return
            }
            guard let file = sighting(of: path) else { return settling.forget(key) }
            let status: ShardStatus?
            do {
                status = try store.status(of: key)
            } catch {
                let error = DAGStoreError(any: error)
                // A store without a free slot for a reader, for example.
                retries.add(key, path, at: setup.now())
                return notify(FolderNotice(.registrationFailed, path, key, error))
            }
            let isEvent = cause != .found
            guard let operation = operation(on: path, key, status, file, isEvent: isEvent) else {
                return settling.forget(key)
            }
            switch settled(key, path, file, cause) {
            case .isWhole: begin(operation, key, path)
            case .grows: break
            case .unknown:
                let due = setup.now() + setup.settleTime
                scanDue = scanDue.map { min($0, due) } ?? due
            }
        }

        private func settled(
            _ key: ShardKey,
            _ path: FilePath,
            _ file: FileSighting,
            _ cause: Cause
        ) -> Settling.Verdict {
            guard cause != .whole else {
                settling.forget(key)
                return .isWhole
            }
            let clock = cause == .found ? setup.clock() : nil
            return settling.look(key, path, file, at: setup.now(), clock: clock)
        }

        /// Returns the attributes of a CAR; nil if there is none, or an empty one.
        private func sighting(of path: FilePath) -> FileSighting? {
            guard let status = try? Stat(path, followTargetSymlink: false) else { return nil }
            switch status.type {
            case .regular: break
            case .symbolicLink:
                notify(FolderNotice(.symbolicLink, path))
                return nil
            case .directory: return nil
            default:
                notify(FolderNotice(.notRegular, path))
                return nil
            }
            // Some programs create a file, close it, and write it later.
            guard status.size > 0 else { return nil }
            return FileSighting(
                size: Int64(status.size),
                modified: status.modifiedNanoseconds,
                changed: status.changedNanoseconds,
                inode: UInt64(status.inode.rawValue)
            )
        }

        /// Returns what a file's shard needs; nil for nothing.
        private func operation(
            on path: FilePath,
            _ key: ShardKey,
            _ status: ShardStatus?,
            _ file: FileSighting,
            isEvent: Bool
        ) -> Operation? {
            guard let status else { return .register }
            guard status.mountURL == FileMount(path).url.text else {
                notify(FolderNotice(.keyTaken, path, key, reason: status.mountURL))
                return nil
            }
            switch status.state {
            case .registered: return setup.isLazy || status.hasGivenIndex ? nil : .index
            // A node that ended was reading the file, and this one goes on: the folder is ready after that.
            case .initializing, .recovering: return isFirstScanDone ? nil : .index
            case .failed, .available, .serving: break
            }
            // A file that changed after its shard became what it is; the system sets this time at each change.
            let isNewer = file.changed / 1_000_000 > Int64(clamping: status.stateSince)
            // A file that was moved here in the place of another one may be old.
            let isOther = status.file.map { !file.identity.isUnchanged(since: $0) } ?? false
            let isKnown = status.state == .failed && status.error?.code == .sourceChanged
            guard isEvent || isNewer || isOther || isKnown else { return nil }
            return status.state == .failed ? .recover : .probe
        }
    }
#endif
