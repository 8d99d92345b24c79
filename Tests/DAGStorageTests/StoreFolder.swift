import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport

/// A store in a folder of a test's own, with CARs beside it.
final class StoreFolder: Sendable {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The folder's path, for another process.
    var path: String { folder.url.path }

    /// The store's path.
    var storePath: String { folder.path(of: "store") }

    /// Opens the store.
    func open(_ change: (inout Configuration) -> Void = { _ in }) throws -> DAGStore {
        try Self.open(storePath, change)
    }

    /// Opens the store at `path`, as quickly as it can be made: no test cuts the power.
    static func open(
        _ path: String,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore {
        var configuration = Configuration()
        configuration.mapSize = 1 << 32
        configuration.durability = .relaxed
        // Tests change files in less time than a store takes them to be unchanged.
        configuration.sourceCheckInterval = .zero
        change(&configuration)
        return try DAGStore.open(at: FilePath(path), configuration: configuration)
    }

    /// Writes a CAR beside the store.
    func mount(_ bytes: [UInt8], named name: String = "a.car") throws -> DAGMounts.FileMount {
        DAGMounts.FileMount(FilePath(try folder.write(bytes, to: name)))
    }

    /// The path of a file beside the store.
    func path(of name: String) -> String { folder.path(of: name) }
}

extension DAGStore {
    /// Registers under a key given as text.
    @discardableResult
    func register(_ key: String, _ mount: DAGMounts.FileMount) async throws -> ShardStatus {
        try await register(ShardKey(key), from: mount)
    }

    /// A lease, by a key given as text.
    func acquire(_ key: String) async throws -> Shard { try await acquire(ShardKey(key)) }

    /// A status, by a key given as text.
    func status(of key: String) throws -> ShardStatus? { try status(of: ShardKey(key)) }

    /// Destroys a shard, by a key given as text.
    func destroy(_ key: String) async throws { try await destroy(ShardKey(key)) }

    /// The keys in order of registration.
    var keys: [String] { ((try? allStatuses()) ?? []).map(\.key.text) }

    /// The status of every shard.
    func allStatuses() throws -> [ShardStatus] {
        var all: [ShardStatus] = []
        var statuses = statuses().makeIterator()
        while let status = try statuses.next() { all.append(status) }
        return all
    }
}

extension DAGStoreError {
    /// An error that is equal to every error with this code.
    init(_ code: Code) { self.init(code, "") }
}

extension PackageFolder {
    /// The text of a file.
    static func text(of path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The names in a folder.
    static func files(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path)
    }
}
