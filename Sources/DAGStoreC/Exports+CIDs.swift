public import CDAGStore
internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage

// CIDs, and CAR files outside of any store: see `dagstore.h`.

/// See `dagstore_cid_parse` in `dagstore.h`.
@c @implementation public func dagstore_cid_parse(
    _ text: UnsafePointer<CChar>!,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        let cid = try CID(readText(text, "text"))
        try cid.bytes.withView { view throws(Failure) in try output.fill(view) }
    }
}

/// See `dagstore_cid_format` in `dagstore.h`.
@c @implementation public func dagstore_cid_format(
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ buffer: UnsafeMutablePointer<CChar>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        let (bytes, layout) = try readCID(cid, cid_size)
        try output.fill(CID(bytes: bytes.copied, layout: layout).description)
    }
}

/// See `dagstore_cid_split` in `dagstore.h`.
@c @implementation public func dagstore_cid_split(
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_parts: UnsafeMutablePointer<dagstore_cid_parts_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try StructPlace(out_parts, "out_parts")
        let (bytes, layout) = try readCID(cid, cid_size)
        var parts = dagstore_cid_parts_t()
        parts.version = UInt32(layout.version)
        parts.codec = layout.codec
        parts.hash_code = layout.hashCode
        parts.multihash = bytes[layout.multihashOffset..<layout.size].forC
        parts.digest = bytes[layout.digestOffset..<layout.size].forC
        output.fill(parts)
    }
}

/// See `dagstore_cid_make` in `dagstore.h`.
@c @implementation public func dagstore_cid_make(
    _ codec: UInt64,
    _ multihash: UnsafePointer<UInt8>!,
    _ multihash_size: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        guard multihash_size > 0, multihash_size <= CID.sizeMax, codec < 1 << 63,
            let bytes = borrowBytes(multihash, multihash_size)
        else {
            // SAFETY: only compared with NULL.
            guard unsafe multihash != nil else { throw Failure.argument("multihash is NULL") }
            throw Failure(
                dagstore_status_t(DAGSTORE_INVALID_CID),
                "codec 0x\(String(codec, radix: 16)) or a multihash of \(multihash_size) bytes is out of range"
            )
        }
        let cid = CID(codec: codec, multihash: try Multihash(bytes: bytes.copied))
        try cid.bytes.withView { view throws(Failure) in try output.fill(view) }
    }
}

// MARK: CAR files

/// Calls `body` with a CAR.
///
/// - Throws: `INVALID_ARGUMENT` if the handle is no open CAR, and the errors of `body`.
@safe private func withCAR<R>(_ handle: OpaquePointer?, _ body: (CARFile) throws -> R) throws -> R {
    guard let result = try HandleTable.with(handle, .car, as: CARFile.self, body) else {
        throw Failure.handle("dagstore_car_t")
    }
    return result
}

/// See `dagstore_car_open` in `dagstore.h`.
@c @implementation public func dagstore_car_open(
    _ path: UnsafePointer<CChar>!,
    _ out_car: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_car, "out_car")
        // Reads by system calls: not every file system can map files.
        let file = try LocalFile(opening: try readPath(path, "path"))
        let car = try CARFile(file, limits: CARLimits())
        try place.fill(.car, car)
    }
}

/// See `dagstore_car_inspect` in `dagstore.h`.
@c @implementation public func dagstore_car_inspect(
    _ car: OpaquePointer!,
    _ out_info: UnsafeMutablePointer<dagstore_car_info_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try StructPlace(out_info, "out_info")
        let found = try withCAR(car) { try $0.inspect() }
        var info = dagstore_car_info_t()
        info.version = UInt32(found.layout.version)
        info.flags = found.layout.isFullyIndexed ? UInt32(DAGSTORE_CAR_FULLY_INDEXED) : 0
        info.index_codec = UInt32(clamping: found.indexCodec ?? 0)
        info.roots = UInt64(found.layout.roots.count)
        info.data_offset = found.layout.dataOffset
        info.data_size = found.layout.dataSize
        info.index_offset = found.layout.indexOffset ?? 0
        info.sections = found.sections
        info.identity_sections = found.identitySections
        info.duplicate_sections = found.duplicateSections
        info.block_size_min = found.minBlock
        info.block_size_max = found.maxBlock
        info.null_padding = found.nullPadding
        output.fill(info)
    }
}

/// See `dagstore_car_root` in `dagstore.h`.
@c @implementation public func dagstore_car_root(
    _ car: OpaquePointer!,
    _ index: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        try output.fill(root: index, of: withCAR(car) { $0.layout.roots })
    }
}

/// See `dagstore_car_verify` in `dagstore.h`.
@c @implementation public func dagstore_car_verify(
    _ car: OpaquePointer!,
    _ threads: UInt32,
    _ out_verification: UnsafeMutablePointer<dagstore_car_verification_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try StructPlace(out_verification, "out_verification")
        let workers = threads == 0 ? JobPool.processorCount : Int(min(threads, 1024))
        let found = try withCAR(car) { $0.verify(workers: workers) }
        var verification = dagstore_car_verification_t()
        verification.sections = found.sections
        verification.unverified = found.unverified
        verification.mismatches = found.mismatches
        output.fill(verification)
        if let error = found.firstError { throw error }
    }
}

/// See `dagstore_car_close` in `dagstore.h`.
@c @implementation public func dagstore_car_close(_ car: OpaquePointer!) {
    release(car, .car, as: CARFile.self)
}
