import CDAGStore
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

// The header's functions as Swift sees them, called as a C program would; they are linked, not loaded.

/// A store in a folder of a test's own, opened through the C interface.
@safe final class CStore: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the handle is a number, and any thread may use it.
    let folder: TemporaryFolder
    private(set) var handle: OpaquePointer?

    /// Opens it; `change` sees the configuration first.
    init(
        _ folder: TemporaryFolder? = nil,
        _ change: (inout dagstore_config_t) -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        var config = dagstore_config_t()
        try expectOK(
            unsafe dagstore_config_init(&config, MemoryLayout<dagstore_config_t>.size, nil)
        )
        config.map_size = 1 << 32
        config.flags = UInt32(DAGSTORE_OPEN_RELAXED)
        change(&config)
        try expectOK(
            unsafe dagstore_open(self.folder.path(of: "store"), &config, &handle, nil)
        )
    }

    /// Writes a CAR beside the store, and registers it.
    func add(_ key: String, _ car: CARBuilder, flags: Int = 0) throws {
        let path = try folder.write(car.bytes, to: "\(key).car")
        try expectOK(
            unsafe dagstore_register(handle, key, "file://\(path)", UInt32(flags), nil)
        )
    }

    /// A lease.
    func acquire(_ key: String, timeout: UInt32 = .max) throws -> OpaquePointer {
        var shard: OpaquePointer?
        try expectOK(unsafe dagstore_acquire(handle, key, timeout, &shard, nil))
        return unsafe try #require(unsafe shard)
    }

    func close() {
        unsafe dagstore_close(handle)
    }
}

/// Requires that a call succeeded.
func expectOK(
    _ status: dagstore_status_t,
    at location: SourceLocation = #_sourceLocation
) throws {
    try #require(
        unsafe String(cString: dagstore_status_name(status)) == "ok",
        sourceLocation: location
    )
}

/// The name of a status.
func name(_ status: dagstore_status_t) -> String {
    unsafe String(cString: dagstore_status_name(status))
}

/// A block's bytes, copied; nil and a name if there is none.
func block(_ shard: OpaquePointer, _ cid: [UInt8]) -> (bytes: [UInt8]?, status: String) {
    var block: OpaquePointer?
    let status = unsafe dagstore_shard_get(shard, cid, cid.count, &block, nil)
    defer { unsafe dagstore_block_release(block) }
    guard status == DAGSTORE_OK else { return (nil, name(status)) }
    let bytes = unsafe dagstore_block_bytes(block)
    return unsafe (Array(UnsafeBufferPointer(start: bytes.data, count: bytes.size)), "ok")
}

/// An object that a C callback gets back as its context.
func context<Object: AnyObject>(of object: Object) -> UnsafeMutableRawPointer {
    unsafe Unmanaged.passUnretained(object).toOpaque()
}

/// The object behind a context.
func object<Object: AnyObject>(_ context: UnsafeMutableRawPointer?, as type: Object.Type) -> Object
{
    guard let context = unsafe context else {
        preconditionFailure("a callback without its context")
    }
    // SAFETY: the test that gave the context out keeps its object.
    return unsafe Unmanaged<Object>.fromOpaque(context).takeUnretainedValue()
}
