import DAGBytes
import DAGMounts
import Foundation
import SystemPackage
import TestSupport

/// A folder with a store of transients in it.
struct TransientScene {
    let folder: TemporaryFolder
    let directory: FilePath
    let store: TransientStore

    /// Creates a scene with an open, empty store.
    init(_ options: TransientStore.Options = .init(isDurable: false)) throws {
        folder = try TemporaryFolder()
        directory = FilePath(folder.path(of: "transients"))
        store = TransientStore(directory: directory, pool: Self.pool, options: options)
        _ = try store.open { _ in true }
    }

    private static let pool = JobPool(label: "transients", width: 4)

    /// Another store over the same folder, as after a restart.
    func reopened(
        isKnown: (TransientName) -> Bool = { _ in true }
    ) throws -> (store: TransientStore, swept: TransientStore.Swept) {
        let options = TransientStore.Options(isDurable: false)
        let store = TransientStore(directory: directory, pool: Self.pool, options: options)
        return (store, try store.open(isKnown: isKnown))
    }

    /// The names of the files, sorted.
    var files: [String] { (try? names()) ?? [] }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.string).sorted()
    }

    /// The bytes of all files.
    var bytesOnDisk: UInt64 {
        files.reduce(0) { sum, name in
            sum + ((try? FileIdentity(at: directory.appending(name)).size) ?? 0)
        }
    }

    /// Puts a file into the folder.
    func write(_ bytes: [UInt8], to name: String) throws {
        _ = try folder.write(bytes, to: "transients/\(name)")
    }

    /// Fetches `bytes`, and releases the pin.
    @discardableResult
    func fetch(_ name: TransientName, _ bytes: [UInt8]) async throws -> Transient {
        let source = MemorySequentialSource(bytes)
        return try await store.fetch(name, expectedSize: UInt64(bytes.count), from: source)
            .transient
    }
}

extension TransientName {
    /// The name of a shard that a test needs only the number of.
    init(_ number: UInt32) { self.init(key: "key", number: number) }
}

extension Transient {
    /// All bytes of the file.
    func content() throws -> [UInt8] {
        let bytes = try open().read(at: 0, size: Int(size))
        return withExtendedLifetime(bytes) { bytes.view.copied }
    }
}
