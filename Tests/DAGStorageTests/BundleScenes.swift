import DAGCatalog
import DAGHashing
import DAGMounts
import DAGStorage
import Synchronization
import TestSupport
import Testing

/// The bytes of a bundle in memory.
struct StoredBundle: Sendable {
    let exported: ExportedBundle
    var bytes: [UInt8] = []

    init(of key: String, in store: DAGStore) throws {
        var pieces: [[UInt8]] = []
        exported = try BundleExporter(store).export(ShardKey(key)) { pieces.append($0) }
        #expect(pieces.allSatisfy { !$0.isEmpty && $0.count <= BundleExporter.pieceSizeMax })
        #expect(pieces.dropLast().allSatisfy { $0.count == BundleExporter.pieceSizeMax })
        bytes = Array(pieces.joined())
    }

    /// Returns pieces of one size, one after the other.
    func source(pieceSize: Int = 1 << 20) -> @Sendable () throws -> [UInt8]? {
        let place = Mutex(0)
        return { [bytes] in
            place.withLock { place in
                guard place < bytes.count else { return nil }
                let end = min(bytes.count, place + pieceSize)
                defer { place = end }
                return Array(bytes[place..<end])
            }
        }
    }

    /// Imports the bundle.
    @discardableResult
    func `import`(
        _ key: String,
        at url: MountURL,
        into store: DAGStore,
        policy: MountPolicy = .automatic,
        pieceSize: Int = 1 << 20
    ) async throws -> ShardStatus {
        try await BundleImporter(store).importBundle(
            ImportedBundle(key: ShardKey(key), mountURL: url, policy: policy),
            named: exported.name,
            from: source(pieceSize: pieceSize)
        )
    }
}

/// A store that exports, and one that imports.
struct BundleStores {
    static let key = HashKey(words: (11, 12))
    let from: StoreFolder
    let to: StoreFolder
    let exporter: DAGStore
    let importer: DAGStore

    init(_ mounts: [any Mount] = []) throws {
        from = try StoreFolder()
        to = try StoreFolder()
        exporter = try from.open(mounts) { $0.hashKey = Self.key }
        importer = try to.open(mounts) { $0.hashKey = Self.key }
    }

    /// Registers a CAR in the first store, copies it, and returns its bundle and the mount of the copy.
    func bundle(
        _ key: String,
        _ bytes: [UInt8]
    ) async throws -> (bundle: StoredBundle, mount: DAGMounts.FileMount) {
        try await exporter.register(key, from.mount(bytes, named: "\(key).car"))
        let bundle = try StoredBundle(of: key, in: exporter)
        return (bundle, try to.mount(bytes, named: "copy of \(key).car"))
    }

    /// Checks that a failed import left nothing in the second store.
    func expectNothing(of key: String) async throws {
        #expect(try importer.status(of: key) == nil)
        #expect(try importer.engine.catalog.pendingGenerations() == [])
        #expect(try importer.engine.catalog.inverseRuns().isEmpty)
        #expect(try await importer.check().problems == [])
    }

    func close() async {
        await exporter.close()
        await importer.close()
    }
}

extension CARBuilder {
    /// Enough blocks for a run of their own in the inverse index, with repeated ones.
    static let withOwnRun: CARBuilder = {
        var builder = CARBuilder.uniform(sections: 33_000, blockSize: 9, seed: 3)
        builder.blocks += builder.blocks.prefix(300)
        builder.blocks.append(.identity([1, 2, 3]))
        return builder
    }()
}
