#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import SystemPackage

    extension FolderFollower {
        /// Begins an operation of the store; blocks while the store works on many.
        func begin(_ operation: Operation, _ key: ShardKey, _ path: FilePath) {
            if operation == .register, let error = readingError(of: path) {
                guard !Self.isPassing(error) else { return retry(key, path, "\(error)") }
                return notify(FolderNotice(.unreadable, path, key, reason: "\(error)"))
            }
            while operations.count >= setup.operationsMax, !inbox.isStopping {
                inbox.wait()
                readInbox()
            }
            guard !inbox.isStopping else { return }
            start(operation, key, path)
        }

        private func start(_ operation: Operation, _ key: ShardKey, _ path: FilePath) {
            operations[key] = (operation, path)
            if !isFirstScanDone { firstWave?.insert(key) }
            let inbox = inbox
            let reply: DAGStore.Reply<Void> = { result in
                var error: DAGStoreError?
                if case .failure(let failure) = result { error = failure }
                inbox.put(FolderInbox.Reply(key: key, error: error))
            }
            switch operation {
            case .register:
                do {
                    try store.register(
                        key,
                        from: FileMount(path).url,
                        indexing: setup.isLazy ? .onFirstUse : .now,
                        existingTransient: nil,
                        progress: nil,
                        reply: reply
                    )
                } catch {
                    reply(.failure(error))
                }
            case .index, .probe:
                store.acquire(key, operation == .index ? .endless : .none) { result in
                    reply(result.map { $0.release() })
                }
            case .recover: store.recover(key, reply: reply)
            }
        }

        /// Returns why this process may not read a file; nil if it may.
        private func readingError(of path: FilePath) -> Errno? {
            do {
                let options: FileDescriptor.OpenOptions = [.noFollow, .nonBlocking]
                try FileDescriptor.opening(path, options: options).close()
                return nil
            } catch {
                return error as? Errno ?? .ioError
            }
        }

        // MARK: Faults that pass

        /// Whether the error is about this process, and not about the file.
        private static func isPassing(_ error: Errno) -> Bool {
            [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .interrupted].contains(error)
        }

        /// Whether the error is about the node, its disk or its store, and not about the CAR.
        private static func isPassing(_ error: DAGStoreError) -> Bool {
            let codes: Set<DAGStoreError.Code> = [
                .catalogFull, .quotaExceeded, .outOfResources, .tooManyReaders, .readOnly,
                .shardInUse, .fetchTimedOut, .deadlineExceeded,
            ]
            return codes.contains(error.code)
        }

        /// Looks at a file again after a pause.
        private func retry(_ key: ShardKey, _ path: FilePath, _ reason: String) {
            notify(FolderNotice(.waits, path, key, reason: reason))
            retries.add(key, path, at: setup.now())
        }

        // MARK: Ends

        /// Takes out what other threads put in.
        func readInbox() {
            let content = inbox.takeAll()
            for reply in content.replies { end(reply) }
            for key in content.changed { again[key] = again[key] ?? path(of: key) }
            checkReadiness()
        }

        /// The file of a shard that the store found changed, if the shard is this folder's.
        private func path(of key: ShardKey) -> (path: FilePath, cause: Cause)? {
            let names = FilePath(key.text + FolderKey.suffix).components
            guard names.allSatisfy({ $0.kind == .regular }) else { return nil }
            let path = setup.root.appending(names)
            guard (try? FolderKey.key(of: path, below: setup.root)) == key else { return nil }
            return (path, .changed)
        }

        private func end(_ reply: FolderInbox.Reply) {
            guard let (operation, path) = operations.removeValue(forKey: reply.key) else { return }
            let next = end(operation, reply.key, path, reply.error)
            if let next {
                start(next, reply.key, path)
            } else {
                firstWave?.remove(reply.key)
            }
        }

        /// Reports the end of an operation.
        ///
        /// - Returns: The operation that must follow.
        private func end(
            _ operation: Operation,
            _ key: ShardKey,
            _ path: FilePath,
            _ error: DAGStoreError?
        ) -> Operation? {
            // The node ends.
            guard error?.code != .closed else { return nil }
            if let error, Self.isPassing(error) {
                retry(key, path, error.message)
                return nil
            }
            // A probe needs no room, so its success says nothing about a full disk.
            if error == nil, operation != .probe { retries.succeed() }
            switch (operation, error) {
            case (.register, nil): notify(FolderNotice(.registered, path, key))
            case (.register, let error?) where error.code == .shardExists:
                again[key] = (path, .found)
            case (.register, let error?):
                notify(FolderNotice(.registrationFailed, path, key, error))
            case (.probe, nil), (.index, nil): break
            case (.index, let error?):
                notify(FolderNotice(.registrationFailed, path, key, error))
            case (.probe, let error?):
                guard (try? store.status(of: key))?.state == .failed else { break }
                notify(FolderNotice(.fileReplaced, path, key, error))
                return .recover
            case (.recover, nil): notify(FolderNotice(.recovered, path, key))
            case (.recover, let error?) where error.code == .notFailed: break
            case (.recover, let error?):
                notify(FolderNotice(.recoveryFailed, path, key, error))
            }
            return nil
        }

        /// Looks at files whose time has come.
        func lookAgain() {
            let due = again.filter { operations[$0.key] == nil }
            for (key, _) in due { again[key] = nil }
            for (_, look) in due { self.look(look.path, look.cause) }
            for path in settling.due(at: setup.now()) { look(path, .settles) }
            for path in retries.takeDue(at: setup.now()) { look(path, .changed) }
        }
    }
#endif
