internal import DAGStorage
internal import SystemPackage

/// A store that is open read-only until a shard must be fetched or indexed.
final class StoreReader {
    private let options: StoreOptions
    private var open: DAGStore?
    private var isWriting = false

    /// Opens the store read-only.
    ///
    /// - Throws: As `DAGStore.open`.
    init(_ options: StoreOptions) throws {
        self.options = options
        open = try options.openForReading()
    }

    /// The store, as it is open now.
    var store: DAGStore {
        guard let open else { preconditionFailure("the store could not be opened") }
        return open
    }

    /// Acquires a lease on a shard, if that needs no fetching and no indexing.
    ///
    /// - Throws: As `acquireIfAvailable`, except `readOnly`.
    func leaseAtHand(_ key: ShardKey) throws -> Shard? {
        do {
            return try store.acquireIfAvailable(key)
        } catch let error as DAGStoreError where error.code == .readOnly {
            // Only a store that is open for writing can bring the shard in.
            return nil
        }
    }

    /// Acquires a lease on a shard, and fetches and indexes it first if needed.
    ///
    /// - Throws: As `acquire`; `catalogLocked` if another process has the store open for writing.
    func lease(_ key: ShardKey) throws -> Shard {
        if let shard = try leaseAtHand(key) { return shard }
        if !isWriting {
            do {
                // A store that is open read-only can wait for a mount that it reads in place.
                return try Self.acquire(key, in: store)
            } catch let error as DAGStoreError where error.code == .readOnly {
                try openForWriting(for: key)
            }
        }
        return try Self.acquire(key, in: store)
    }

    /// Acquires a lease, and waits for it; a client that is gone ends the wait.
    private static func acquire(_ key: ShardKey, in store: DAGStore) throws -> Shard {
        guard Console.client != nil else { return try store.acquire(key, .endless) }
        while true {
            do {
                return try store.acquire(key, .until(.now + .seconds(1)))
            } catch let error as DAGStoreError where error.code == .deadlineExceeded {
                try Task.checkCancellation()
            }
        }
    }

    private func openForWriting(for key: ShardKey) throws {
        // A process can have a store open only once.
        if let open { StoreOptions.closeWaiting(open) }
        open = nil
        do {
            open = try options.openForWriting(isNewAllowed: false)
            isWriting = true
        } catch var error as DAGStoreError where error.code == .catalogLocked {
            let holder = try options.holder ?? "another process"
            error = DAGStoreError(
                .catalogLocked,
                "it must be fetched and indexed first, and \(holder) has the store open for writing",
                shard: key,
                advice: "let that process do it, wait for it with --wait SECONDS, or end it"
            )
            throw error
        }
    }
}
