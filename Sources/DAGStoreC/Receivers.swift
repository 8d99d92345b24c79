internal import CDAGStore
internal import DAGStorage

// Calls the functions that C callers hand in. All are called on threads of the library.

/// Reports to a caller how far indexing is.
@safe struct ProgressReceiver: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on a thread of the library.
    private let receive: dagstore_progress_fn
    private let context: Context

    @safe init(_ receive: @escaping dagstore_progress_fn, _ context: Context) {
        // SAFETY: only kept.
        unsafe self.receive = receive
        self.context = context
    }

    func report(_ progress: IndexingProgress) {
        runCallback {
            // SAFETY: the caller's function, with the context that it asked for.
            unsafe receive(
                context.pointer,
                progress.bytesDone,
                progress.bytesTotal,
                progress.sections
            )
        }
    }
}

/// Delivers the outcome of an operation without a result.
@safe struct Completion: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on the store's thread.
    private let done: dagstore_done_fn
    private let context: Context

    @safe init(_ done: dagstore_done_fn?, _ context: Context) throws(Failure) {
        // SAFETY: only compared with NULL and kept.
        guard let done = unsafe done else { throw .argument("done is NULL") }
        unsafe self.done = done
        self.context = context
    }

    /// The reply that delivers the outcome on the store's thread.
    func reply(on box: StoreBox) -> DAGStore.Reply<Void> {
        { result in box.complete { deliver(result) } }
    }

    private func deliver(_ result: Result<Void, DAGStoreError>) {
        // SAFETY: the caller's function, with the context that it asked for.
        switch result {
        case .success: unsafe done(context.pointer, dagstore_status_t(DAGSTORE_OK), nil)
        case .failure(let error):
            unsafe withHandle(of: error) { unsafe done(context.pointer, $0, $1) }
        }
    }
}

/// Delivers a lease, or the error.
@safe struct Acquisition: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on the store's thread.
    private let done: dagstore_acquired_fn
    private let context: Context

    @safe init(_ done: dagstore_acquired_fn?, _ context: Context) throws(Failure) {
        // SAFETY: only compared with NULL and kept.
        guard let done = unsafe done else { throw .argument("done is NULL") }
        unsafe self.done = done
        self.context = context
    }

    func deliver(_ result: Result<Shard, DAGStoreError>) {
        // SAFETY: the caller's function, with the context that it asked for; the handle of the lease is its own then.
        do {
            let shard = try unsafe makeHandle(.shard, try result.get())
            unsafe done(context.pointer, dagstore_status_t(DAGSTORE_OK), shard, nil)
        } catch {
            unsafe withHandle(of: error) { unsafe done(context.pointer, $0, nil, $1) }
        }
    }
}
