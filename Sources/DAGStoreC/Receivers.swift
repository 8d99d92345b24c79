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

/// Reports to a caller what garbage collection did with each transient.
@safe struct CollectionReceiver {
    // SAFETY: used during one call of the caller, on its thread.
    private let receive: dagstore_collected_fn
    private let context: Context

    @safe init(_ receive: @escaping dagstore_collected_fn, _ context: Context) {
        // SAFETY: only kept.
        unsafe self.receive = receive
        self.context = context
    }

    func receive(_ transient: CollectedTransient) {
        let result =
            switch transient.result {
            case .removed: DAGSTORE_COPY_REMOVED
            case .inUse: DAGSTORE_COPY_IN_USE
            case .awaited: DAGSTORE_COPY_AWAITED
            case .kept: DAGSTORE_COPY_KEPT
            case .failed: DAGSTORE_COPY_FAILED
            }
        let key = transient.key.map { CText($0.text) }
        func call(_ error: OpaquePointer?) {
            // SAFETY: the caller's function with its context; the text stays for the call.
            runCallback {
                unsafe receive(
                    context.pointer,
                    key?.start,
                    UInt32(result),
                    transient.bytes,
                    error
                )
            }
        }
        withExtendedLifetime(key) {
            guard let error = transient.error else { return call(nil) }
            // SAFETY: the handle is a number; the function borrows it for the call.
            unsafe withHandle(of: error) { unsafe call($1) }
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

    /// Begins a call whose outcome is delivered on the store's thread.
    ///
    /// - Parameters:
    ///   - box: The store.
    ///   - start: Starts the work with the number of the call and the reply. If it throws, no reply follows.
    func begin(
        on box: StoreBox,
        _ start: (UInt64, @escaping DAGStore.Reply<Void>) throws -> Void
    ) rethrows {
        let ticket = box.calls.begin(context)
        do {
            try start(ticket) { result in
                box.complete {
                    box.calls.end(ticket, context)
                    deliver(result)
                }
            }
        } catch {
            box.calls.end(ticket, context)
            throw error
        }
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

    /// Begins a call whose lease is delivered on the store's thread.
    ///
    /// - Parameters:
    ///   - box: The store.
    ///   - start: Starts the work with the number of the call and the reply.
    func begin(on box: StoreBox, _ start: (UInt64, @escaping DAGStore.Reply<Shard>) -> Void) {
        let ticket = box.calls.begin(context)
        start(ticket) { result in
            box.complete {
                box.calls.end(ticket, context)
                deliver(result)
            }
        }
    }

    /// Makes the handle of a lease; it has the only reference to the lease.
    private func handle(_ result: Result<Shard, DAGStoreError>) throws -> OpaquePointer {
        // SAFETY: a handle is a number.
        try unsafe makeHandle(.shard, result.get().moved())
    }

    private func deliver(_ result: Result<Shard, DAGStoreError>) {
        // SAFETY: the caller's function, with the context that it asked for; the handle of the lease is its own then.
        do {
            let shard = try unsafe handle(result)
            unsafe done(context.pointer, dagstore_status_t(DAGSTORE_OK), shard, nil)
        } catch {
            unsafe withHandle(of: error) { unsafe done(context.pointer, $0, nil, $1) }
        }
    }
}
