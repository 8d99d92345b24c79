import CDAGStore
import DAGMultiformats
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

/// The CIDs of a batch, as C callers pass them.
private struct PackedCIDs {
    var bytes: [UInt8] = []
    var sizes: [UInt32] = []

    init(_ cids: [[UInt8]]) {
        for cid in cids {
            bytes += cid
            sizes.append(UInt32(cid.count))
        }
    }

    var noItems: [dagstore_batch_item_t] {
        Array(repeating: dagstore_batch_item_t(), count: sizes.count)
    }
}

@Suite("Batches through the C interface")
struct CBatchTests {
    /// CIDs of 70 sections, with one that the shard lacks, one identity CID and one that is malformed.
    private static func cids(_ car: CARBuilder) -> (
        all: [[UInt8]], expected: [[UInt8]?], statuses: [String]
    ) {
        var all: [[UInt8]] = []
        var expected: [[UInt8]?] = []
        var statuses: [String] = []
        func add(_ cid: [UInt8], _ bytes: [UInt8]?, _ status: String) {
            all.append(cid)
            expected.append(bytes)
            statuses.append(status)
        }
        for (number, block) in car.blocks.enumerated() {
            add(block.cid.bytes, block.data, "ok")
            if number == 3 {
                let other = CARBuilder.uniform(sections: 1, blockSize: 9, seed: 999).blocks[0]
                add(other.cid.bytes, nil, "blockNotFound")
            }
            if number == 20 { add([1, 0x55, 0, 3, 7, 8, 9], [7, 8, 9], "ok") }
            if number == 41 { add([9, 9, 9], nil, "invalidCID") }
        }
        return (all, expected, statuses)
    }

    @Test("each CID has its own result", arguments: [false, true])
    func getMany(isMapped: Bool) throws {
        let store = try CStore { config in
            if !isMapped { config.flags |= UInt32(DAGSTORE_OPEN_UNMAPPED) }
        }
        let car = CARBuilder.uniform(sections: 70, blockSize: 300, seed: 8)
        try store.add("a", car)
        let shard = unsafe try store.acquire("a")
        let (all, expected, statuses) = Self.cids(car)
        let packed = PackedCIDs(all)
        var items = packed.noItems
        var blocks: OpaquePointer?
        try expectOK(
            unsafe dagstore_shard_get_many(
                shard,
                packed.bytes,
                packed.sizes,
                all.count,
                &items,
                &blocks,
                nil
            )
        )
        // The blocks outlive the lease and the store.
        unsafe dagstore_shard_release(shard)
        store.close()
        for (index, item) in items.enumerated() {
            #expect(name(item.status) == statuses[index])
            let found = unsafe item.data.map {
                unsafe Array(UnsafeBufferPointer(start: $0, count: Int(item.size)))
            }
            #expect(found == expected[index])
        }
        unsafe dagstore_block_release(blocks)
    }

    @Test("blocks follow each other in one buffer", arguments: [false, true])
    func readMany(isMapped: Bool) throws {
        let store = try CStore { config in
            if !isMapped { config.flags |= UInt32(DAGSTORE_OPEN_UNMAPPED) }
        }
        let car = CARBuilder.uniform(sections: 70, blockSize: 300, seed: 8)
        try store.add("a", car)
        let shard = unsafe try store.acquire("a")
        defer {
            unsafe dagstore_shard_release(shard)
            store.close()
        }
        let (all, expected, statuses) = Self.cids(car)
        let packed = PackedCIDs(all)
        let needed = 70 * 300 + 3
        // The last one is SIZE_MAX in C: the caller knows that there is room.
        for capacity in [needed, needed - 1, 1000, 0, -1] {
            let room = capacity < 0 ? .max : capacity
            var items = packed.noItems
            var buffer = [UInt8](repeating: 0xee, count: needed)
            var size = 0
            let status = unsafe dagstore_shard_read_many(
                shard,
                packed.bytes,
                packed.sizes,
                all.count,
                &buffer,
                capacity,
                &items,
                &size,
                nil
            )
            #expect(name(status) == (room >= needed ? "ok" : "bufferTooSmall"))
            #expect(size == needed)
            var end = 0
            var isFull = false
            for (index, item) in items.enumerated() {
                guard let bytes = expected[index] else {
                    #expect(name(item.status) == statuses[index])
                    continue
                }
                #expect(item.size == UInt64(bytes.count))
                isFull = isFull || end + bytes.count > room
                guard !isFull else {
                    #expect(name(item.status) == "bufferTooSmall")
                    continue
                }
                #expect(name(item.status) == "ok")
                #expect(item.offset == UInt64(end))
                #expect(Array(buffer[end..<end + bytes.count]) == bytes)
                end += bytes.count
            }
            #expect(buffer[end...].allSatisfy { $0 == 0xee })
        }
    }

    @Test("arguments of a batch are checked")
    func arguments() throws {
        let store = try CStore()
        try store.add("a", CARBuilder.uniform(sections: 1, blockSize: 10, seed: 8))
        let shard = unsafe try store.acquire("a")
        defer {
            unsafe dagstore_shard_release(shard)
            store.close()
        }
        var blocks: OpaquePointer?
        var size = 0
        let many = Int(DAGSTORE_BATCH_MAX) + 1
        #expect(
            unsafe name(dagstore_shard_get_many(shard, nil, nil, many, nil, &blocks, nil))
                == "invalidArgument"
        )
        #expect(
            unsafe name(dagstore_shard_get_many(shard, nil, nil, 1, nil, &blocks, nil))
                == "invalidArgument"
        )
        #expect(
            unsafe name(dagstore_shard_read_many(shard, nil, nil, 0, nil, 1, nil, &size, nil))
                == "invalidArgument"
        )
        try expectOK(unsafe dagstore_shard_read_many(shard, nil, nil, 0, nil, 0, nil, &size, nil))
        try expectOK(unsafe dagstore_shard_get_many(shard, nil, nil, 0, nil, &blocks, nil))
        #expect(unsafe dagstore_block_bytes(blocks).size == 0)
        unsafe dagstore_block_release(blocks)
    }

    @Test("all sections of a repeated multihash are found, in CAR order")
    func offsets() throws {
        let store = try CStore()
        let car = CARBuilder.mixed(seed: 5)
        try store.add("a", car)
        let shard = unsafe try store.acquire("a")
        defer {
            unsafe dagstore_shard_release(shard)
            store.close()
        }
        // The places of all sections, from the walk without a lease.
        var places: [[UInt8]: [UInt64]] = [:]
        var walk: OpaquePointer?
        try expectOK(unsafe dagstore_multihashes_open(store.handle, "a", nil, &walk, nil))
        var bytes = dagstore_bytes_t()
        var offset: UInt64 = 0
        while unsafe dagstore_multihashes_next_section(walk, &bytes, &offset, nil) == DAGSTORE_OK {
            let multihash = unsafe Array(UnsafeBufferPointer(start: bytes.data, count: bytes.size))
            places[multihash, default: []].append(offset)
        }
        unsafe dagstore_multihashes_close(walk)
        #expect(places.values.contains { $0.count > 1 })
        #expect(places.values.reduce(0) { $0 + $1.count } == car.blocks.count)
        for block in car.blocks {
            let cid = block.cid.bytes
            let expected = places[block.cid.multihash.bytes] ?? []
            var found = [UInt64](repeating: 0, count: expected.count)
            var count = 0
            try expectOK(
                unsafe dagstore_shard_offsets(
                    shard,
                    cid,
                    cid.count,
                    &found,
                    found.count,
                    &count,
                    nil
                )
            )
            #expect(found == expected)
            if expected.count > 1 {
                let status = unsafe dagstore_shard_offsets(
                    shard,
                    cid,
                    cid.count,
                    &found,
                    1,
                    &count,
                    nil
                )
                #expect(name(status) == "bufferTooSmall")
                #expect(count == expected.count)
            }
        }
        let other = CARBuilder.uniform(sections: 1, blockSize: 9, seed: 999).blocks[0].cid.bytes
        var count = 7
        #expect(
            unsafe name(dagstore_shard_offsets(shard, other, other.count, nil, 0, &count, nil))
                == "blockNotFound"
        )
        #expect(count == 0)
    }

    @Test("the holders of a multihash are keys in order of registration")
    func holders() throws {
        let store = try CStore()
        let car = CARBuilder.uniform(sections: 3, blockSize: 64, seed: 4)
        for key in ["z", "a", "long-key"] { try store.add(key, car) }
        let multihash = car.blocks[1].cid.multihash.bytes
        var buffer = [CChar](repeating: 1, count: 64)
        var size = 0
        var count = 0
        func holders(_ multihash: [UInt8], _ capacity: Int) -> String {
            unsafe name(
                dagstore_holders(
                    store.handle,
                    multihash,
                    multihash.count,
                    &buffer,
                    capacity,
                    &size,
                    &count,
                    nil
                )
            )
        }
        #expect(holders(multihash, -1) == "ok")
        #expect(holders(multihash, 64) == "ok")
        #expect(count == 3)
        let text = String(decoding: buffer[..<size].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(text == "z\0a\0long-key\0")
        #expect(holders(multihash, size - 1) == "bufferTooSmall")
        #expect(size == 13)
        #expect(count == 3)
        let other = CARBuilder.uniform(sections: 1, blockSize: 9, seed: 999).blocks[0]
        #expect(holders(other.cid.multihash.bytes, 64) == "ok")
        #expect(size == 0)
        #expect(count == 0)
        #expect(holders([1, 2], 64) == "invalidCID")
        store.close()
    }
}
