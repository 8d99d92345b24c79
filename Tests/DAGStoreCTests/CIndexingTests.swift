import CDAGStore
import DAGCAR
import DAGMultiformats
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

/// A program that indexes CARs itself.
private final class Supplier: Sendable {
    enum Mode: Sendable { case all, none, beyond, error }

    let car: CARBuilder
    let mode: Mode
    private let found = Mutex<[String]>([])

    init(_ car: CARBuilder, _ mode: Mode) {
        self.car = car
        self.mode = mode
    }

    var notes: [String] { found.withLock { $0 } }
    func note(_ text: String) { found.withLock { $0.append(text) } }
}

private let supply: dagstore_index_fn = { context, indexing, info, error in
    let supplier = unsafe object(context, as: Supplier.self)
    guard let info = unsafe info?.pointee else { return dagstore_status_t(DAGSTORE_DONE) }
    unsafe supplier.note("\(String(cString: info.key)) \(info.bytes) \(info.payload_size)")
    switch supplier.mode {
    case .none: return dagstore_status_t(DAGSTORE_DONE)
    case .error:
        unsafe error?.pointee = dagstore_error_new(
            dagstore_status_t(DAGSTORE_FETCH_FAILED),
            "no index today"
        )
        return dagstore_status_t(DAGSTORE_FETCH_FAILED)
    case .all, .beyond:
        var head = [UInt8](repeating: 0, count: 4)
        var size = 0
        var status = unsafe dagstore_indexing_read(indexing, 0, &head, head.count, &size, nil)
        supplier.note("\(name(status)) \(head == Array(supplier.car.bytes.prefix(4)))")
        status = unsafe dagstore_indexing_read(indexing, info.bytes, &head, 4, &size, nil)
        supplier.note("\(name(status)) \(size)")
        for (block, section) in zip(supplier.car.blocks, supplier.car.sections) {
            let cid = block.cid.bytes
            let shift: UInt64 = supplier.mode == .beyond ? info.payload_size : 0
            status = unsafe dagstore_indexing_add(
                indexing,
                cid,
                cid.count,
                section.offset + shift,
                section.end - section.offset,
                nil
            )
            if status != DAGSTORE_OK { supplier.note(name(status)) }
        }
        return dagstore_status_t(DAGSTORE_OK)
    }
}

@Suite("Indexing by a C program")
struct CIndexingTests {
    private static func register(_ mode: Supplier.Mode) throws -> (Supplier, String, [UInt8]?) {
        let car = CARBuilder.uniform(sections: 5, blockSize: 50, seed: 12)
        let supplier = Supplier(car, mode)
        let store = try CStore { config in
            unsafe config.index = supply
            unsafe config.index_context = context(of: supplier)
        }
        let path = try store.folder.write(car.bytes, to: "a.car")
        let status = unsafe dagstore_register(store.handle, "a", "file://\(path)", 0, nil)
        var found: [UInt8]?
        if status == DAGSTORE_OK {
            let shard = unsafe try store.acquire("a")
            unsafe found = block(shard, car.blocks[4].cid.bytes).bytes
            unsafe dagstore_shard_release(shard)
            #expect(found == car.blocks[4].data)
        }
        store.close()
        return (supplier, name(status), found)
    }

    @Test("its sections are the index")
    func all() throws {
        let (supplier, status, found) = try Self.register(.all)
        #expect(status == "ok")
        #expect(found != nil)
        #expect(supplier.notes.dropFirst() == ["ok true", "ok 0"])
    }

    @Test("a CAR that it does not know is walked")
    func none() throws {
        let (supplier, status, found) = try Self.register(.none)
        #expect(status == "ok")
        #expect(found != nil)
        #expect(supplier.notes.count == 1)
    }

    @Test("a section outside the payload fails the shard")
    func beyond() throws {
        let (supplier, status, _) = try Self.register(.beyond)
        #expect(status == "malformedIndex")
        #expect(supplier.notes.contains("malformedIndex"))
    }

    @Test("its error is the shard's error")
    func error() throws {
        #expect(try Self.register(.error).1 == "fetchFailed")
    }
}

/// A mount whose answers depend on the shard and on the URL.
private final class Library: Sendable {
    let bytes: [UInt8]
    let path: String
    /// Rings when the context is given back: until then the store may close a source.
    let bell = DispatchSemaphore(value: 0)
    private let found = Mutex<Set<String>>([])

    init(_ bytes: [UInt8], _ path: String) {
        self.bytes = bytes
        self.path = path
    }

    var notes: Set<String> { found.withLock { $0 } }
    func note(_ text: String) { _ = found.withLock { $0.insert(text) } }
}

@Suite("A mount of a C program that knows its shards")
struct CShardMountTests {
    @Test("sees the shard's key, and answers with a local file or with bytes, by URL")
    func shards() throws {
        let folder = try TemporaryFolder()
        let car = CARBuilder.uniform(sections: 5, blockSize: 50, seed: 12)
        let library = Library(car.bytes, try folder.write(car.bytes, to: "library.car"))
        var table = dagstore_mount_vtable_t()
        table.size = UInt32(MemoryLayout<dagstore_mount_vtable_t>.size)
        table.access = UInt32(DAGSTORE_ACCESS_SEQUENTIAL)
        unsafe table.access_of = { _, url in
            let text = unsafe url.map { unsafe String(cString: $0) } ?? ""
            return switch text {
            case "library://bytes": UInt32(DAGSTORE_ACCESS_RANDOM)
            case "library://copied": UInt32(DAGSTORE_ACCESS_SEQUENTIAL)
            default: UInt32(DAGSTORE_ACCESS_FILE)
            }
        }
        unsafe table.stat_shard = { context, request, out, _ in
            guard let request = unsafe request?.pointee else { return -1 }
            let key = unsafe request.key.map { unsafe String(cString: $0) } ?? "none"
            unsafe object(context, as: Library.self).note(
                "stat \(key) \(String(cString: request.url))"
            )
            unsafe out?.pointee.bytes = .max
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.open_shard = { context, request, out, _ in
            guard let request = unsafe request?.pointee else { return -1 }
            let library = unsafe object(context, as: Library.self)
            let key = unsafe request.key.map { unsafe String(cString: $0) } ?? "none"
            let url = unsafe String(cString: request.url)
            library.note("open \(key) \(url)")
            unsafe out?.pointee.source = context
            unsafe out?.pointee.bytes = UInt64(library.bytes.count)
            if url == "library://file", let out = unsafe out {
                unsafe withUnsafeMutableBytes(of: &out.pointee.path) { room in
                    unsafe room.copyBytes(from: library.path.utf8)
                }
            }
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.read_at = { _, source, offset, buffer, capacity, size, _ in
            let library = unsafe object(source, as: Library.self)
            library.note("read")
            let count = min(capacity, library.bytes.count - Int(offset))
            for index in 0..<count { unsafe buffer?[index] = library.bytes[Int(offset) + index] }
            unsafe size?.pointee = count
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.close = { context, _ in unsafe object(context, as: Library.self).note("close")
        }
        unsafe table.release = { context in
            unsafe object(context, as: Library.self).bell.signal()
        }
        var mounts: OpaquePointer?
        try expectOK(unsafe dagstore_mounts_new(&mounts, nil))
        try expectOK(
            unsafe dagstore_mounts_add(mounts, "library", &table, context(of: library), nil)
        )
        let store = try CStore { config in unsafe config.mounts = unsafe mounts }
        unsafe dagstore_mounts_release(mounts)
        try expectOK(unsafe dagstore_register(store.handle, "a", "library://file", 0, nil))
        #expect(library.notes == ["stat a library://file", "open a library://file", "close"])
        try expectOK(unsafe dagstore_register(store.handle, "b", "library://bytes", 0, nil))
        #expect(library.notes.isSuperset(of: ["open b library://bytes", "read"]))
        for key in ["a", "b"] {
            let shard = unsafe try store.acquire(key)
            unsafe #expect(block(shard, car.blocks[2].cid.bytes).bytes == car.blocks[2].data)
            unsafe dagstore_shard_release(shard)
        }
        let status = unsafe dagstore_register(store.handle, "c", "library://nowhere", 0, nil)
        #expect(name(status) == "mountUnreachable")
        try expectOK(unsafe dagstore_register(store.handle, "d", "library://copied", 0, nil))
        let shard = unsafe try store.acquire("d")
        #expect(try collect(store) == ["d 2 \(car.bytes.count)"])
        unsafe dagstore_shard_release(shard)
        #expect(try collect(store) == ["d 1 \(car.bytes.count)"])
        store.close()
        library.bell.wait()
    }

    /// Removes all transients that it may remove, and returns the results.
    private func collect(_ store: CStore) throws -> [String] {
        let told = Told()
        try expectOK(
            unsafe dagstore_collect_garbage_with(
                store.handle,
                0,
                { context, key, result, bytes, _ in
                    let key = unsafe key.map { unsafe String(cString: $0) } ?? "none"
                    unsafe object(context, as: Told.self).add("\(key) \(result) \(bytes)")
                },
                context(of: told),
                nil,
                nil
            )
        )
        return told.all
    }
}

private final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
