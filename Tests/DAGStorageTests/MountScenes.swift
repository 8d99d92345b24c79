import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport

extension StoreFolder {
    /// Opens the store with mounts of other kinds than files, each the template of its URL's scheme.
    func open(
        _ mounts: [any Mount],
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore {
        try Self.open(storePath, mounts, change)
    }

    /// The same, for another process.
    static func open(
        _ path: String,
        _ mounts: [any Mount],
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore {
        var configuration = Configuration()
        configuration.mapSize = 1 << 32
        configuration.durability = .relaxed
        configuration.sourceCheckInterval = .zero
        change(&configuration)
        var registry = MountRegistry.standard
        for mount in mounts { try registry.register(mount, scheme: mount.url.scheme) }
        return try DAGStore.open(
            at: FilePath(path),
            mounts: registry,
            configuration: configuration
        )
    }

    /// The store's own copies, sorted; empty if there never were any.
    var transients: [String] {
        ((try? PackageFolder.files(in: storePath + "/transients")) ?? []).sorted()
    }

    /// Every file and folder beside the store, at any depth.
    var outside: [String] {
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return found.filter { !$0.hasPrefix("store/") && $0 != "store" }.sorted()
    }
}

extension DAGStore {
    /// Registers any mount under a key given as text.
    @discardableResult
    func register(
        _ key: String,
        from mount: some Mount,
        indexing: Indexing = .now,
        existingTransient: String? = nil
    ) async throws -> ShardStatus {
        try await register(
            ShardKey(key),
            from: mount,
            indexing: indexing,
            existingTransient: existingTransient.map { FilePath($0) }
        )
    }

    /// Recovers a shard, by a key given as text.
    func recover(_ key: String) async throws { try await recover(ShardKey(key)) }

    /// Initializes a shard, by a key given as text.
    func initialize(_ key: String) async throws { try await initialize(ShardKey(key)) }

    /// The state of a shard, by a key given as text.
    func state(of key: String) throws -> ShardStatus.State? { try status(of: key)?.state }
}

/// The code of the error that `body` ends with; nil if it ends with none.
func errorCode<R>(_ body: () async throws -> R) async -> DAGStoreError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return DAGStoreError(any: error).code
    }
}

/// Reads what a store says happened, and waits for it.
struct EventReader {
    private var iterator: AsyncStream<ShardEvent>.Iterator

    /// A reader that loses nothing.
    init(_ store: DAGStore) {
        iterator = store.events(bufferingNewest: .max).makeAsyncIterator()
    }

    /// The next events, up to and with the `count`th of one kind; fewer if the store is closed.
    @discardableResult
    mutating func take(
        until operation: ShardEvent.Operation,
        count: Int = 1
    ) async -> [ShardEvent] {
        var taken: [ShardEvent] = []
        var left = count
        while left > 0, let event = await iterator.next() {
            taken.append(event)
            if event.operation == operation { left -= 1 }
        }
        return taken
    }

    /// The next events, `count` of them; fewer if the store is closed.
    mutating func take(_ count: Int) async -> [ShardEvent] {
        var taken: [ShardEvent] = []
        while taken.count < count, let event = await iterator.next() { taken.append(event) }
        return taken
    }

    /// All that is left, to the end of a store that is closed.
    mutating func rest() async -> [ShardEvent] { await take(.max) }
}

extension [ShardEvent] {
    /// What happened, in order.
    var operations: [ShardEvent.Operation] { map(\.operation) }

    /// How often everything happened.
    var counts: [ShardEvent.Operation: Int] {
        reduce(into: [:]) { $0[$1.operation, default: 0] += 1 }
    }
}
