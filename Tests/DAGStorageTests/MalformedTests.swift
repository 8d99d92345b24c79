import DAGBytes
import DAGCAR
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Malformed CARs")
struct MalformedTests {
    /// What is wrong with a file, and the code that says so.
    struct Defect: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let code: DAGStoreError.Code

        var testDescription: String { name }

        init(_ name: String, _ code: DAGStoreError.Code, _ bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
            self.code = code
        }
    }

    private static let builder = CARBuilder.mixed(seed: 1)
    private static let header = CARHeader.encoded(roots: [])

    /// A CARv2 with its three offsets written over.
    private static func versionTwo(
        dataOffset: UInt64? = nil,
        dataSize: UInt64? = nil,
        indexOffset: UInt64? = nil
    ) -> [UInt8] {
        var bytes = builder.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        for (place, value) in [(27, dataOffset), (35, dataSize), (43, indexOffset)] {
            guard let value else { continue }
            var field: [UInt8] = []
            field.append(littleEndian: value)
            bytes.replaceSubrange(place..<place + 8, with: field)
        }
        return bytes
    }

    private static let cid: [UInt8] = [1, 0x55, 0, 1, 9]

    static let defects: [Defect] = [
        Defect("empty", .truncated, []),
        Defect("zeros", .malformedCAR, [UInt8](repeating: 0, count: 1000)),
        Defect("text", .truncated, Array("This is no CAR.\n".utf8)),
        Defect("header length only", .truncated, [0x20]),
        Defect("header length of ten bytes", .malformedCAR, [UInt8](repeating: 0xff, count: 20)),
        Defect("header of 64 MiB", .limitExceeded, [0x80, 0x80, 0x80, 0x20, 0xa1]),
        Defect("version 3", .unsupportedVersion, [10, 0xa1, 0x67] + Array("version".utf8) + [3]),
        Defect("pragma only", .truncated, CARLayout.pragma),
        Defect("CARv2 header cut short", .truncated, Array(versionTwo().prefix(50))),
        Defect("CARv2 inside a CARv2", .unsupportedVersion, nested),
        Defect("data offset inside the header", .malformedCAR, versionTwo(dataOffset: 50)),
        Defect("data offset 0", .malformedCAR, versionTwo(dataOffset: 0)),
        Defect("data offset beyond the file", .truncated, versionTwo(dataOffset: 1 << 40)),
        Defect("data offset over 63 bits", .malformedCAR, versionTwo(dataOffset: .max)),
        Defect("data size 0", .malformedCAR, versionTwo(dataSize: 0)),
        Defect("data size beyond the file", .truncated, versionTwo(dataSize: 1 << 40)),
        Defect("data size that overflows", .malformedCAR, versionTwo(dataSize: .max)),
        Defect("data size of 63 bits", .truncated, versionTwo(dataSize: 1 << 63 - 1)),
        Defect("index offset over 63 bits", .malformedCAR, versionTwo(indexOffset: .max)),
        Defect(
            "section length of ten bytes",
            .malformedCAR,
            header + [UInt8](repeating: 0xff, count: 9) + [1]
        ),
        Defect("section length not minimal", .malformedCAR, header + [0x85, 0] + cid),
        Defect(
            "section of 2^62 bytes",
            .limitExceeded,
            header + [UInt8](repeating: 0xff, count: 8) + [0x3f]
        ),
        Defect("section of 9 MiB", .limitExceeded, header + [0x80, 0x80, 0xc0, 4]),
        Defect("section longer than the file", .truncated, header + [6] + cid),
        Defect("section shorter than its CID", .malformedCAR, header + [4] + cid),
        Defect("CID version 2", .malformedCAR, header + [5, 2, 0x55, 0, 1, 9]),
        Defect("digest longer than its section", .malformedCAR, header + [5, 1, 0x55, 0, 9, 9]),
        Defect(
            "digest of 1 GiB",
            .limitExceeded,
            header + [8, 1, 0x55, 0, 0x80, 0x80, 0x80, 0x80, 4]
        ),
        Defect(
            "CID varint of ten bytes",
            .malformedCAR,
            header + [12, 1] + [UInt8](repeating: 0xff, count: 10) + [1]
        ),
    ]

    private static var nested: [UInt8] {
        let inner = builder.encoded(version: 2)
        var bytes = CARLayout.pragma + [UInt8](repeating: 0, count: 16)
        bytes.append(littleEndian: CARLayout.dataOffsetMin)
        bytes.append(littleEndian: UInt64(inner.count))
        bytes.append(littleEndian: UInt64(0))
        return bytes + inner
    }

    @Test("a file that is no CAR leaves a failed shard with its code", arguments: defects)
    func malformed(defect: Defect) async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let mount = try folder.mount(defect.bytes)
        let error = await #expect(throws: DAGStoreError.self) {
            try await store.register("a", mount)
        }
        #expect(error == DAGStoreError(defect.code))
        #expect(error?.shard == (try ShardKey("a")))
        for _ in 0..<2 {
            let status = try #require(try store.status(of: "a"))
            #expect(status.state == .failed)
            #expect(status.error == DAGStoreError(defect.code))
            #expect(status.error?.message == error?.message)
            #expect(status.indexSize == 0)
            await #expect(throws: DAGStoreError(defect.code)) { try await store.acquire("a") }
            await #expect(throws: DAGStoreError(.shardExists)) {
                try await store.register("a", mount)
            }
            await store.close()
            store = try folder.open()
        }
        try await store.destroy("a")
        _ = try folder.mount(Self.builder.bytes)
        try await store.register("a", mount)
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("a CAR cut off anywhere is truncated, but between two sections it is a shorter CAR")
    func truncated() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder(
            roots: [Self.builder.blocks[0].cid],
            blocks: [.raw([1, 2]), .versionZero([3]), .identity([4, 5]), .raw([]), .raw([6])]
        )
        let bytes = builder.bytes
        let ends = builder.sections.map { Int($0.end) } + [Int(builder.sections[0].offset)]
        for size in 0..<bytes.count {
            let mount = try folder.mount(Array(bytes.prefix(size)))
            guard !ends.contains(size) else {
                let status = try await store.register("a", mount)
                #expect(status.blockCount == UInt64(builder.sections.count { $0.end <= size }))
                try await store.destroy("a")
                continue
            }
            await #expect(throws: DAGStoreError(.truncated), "\(size) bytes") {
                try await store.register("a", mount)
            }
            try await store.destroy("a")
        }
        await store.close()
    }

    @Test("a CARv2 cut off before its index is truncated, and its index is not needed")
    func truncatedVersionTwo() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let bytes = Self.builder.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        let dataEnd = Int(CARLayout.dataOffsetMin) + Self.builder.bytes.count
        for size in stride(from: 0, to: bytes.count, by: 97) + [dataEnd - 1, dataEnd, dataEnd + 1] {
            let mount = try folder.mount(Array(bytes.prefix(size)))
            if size >= dataEnd {
                try await store.register("a", mount)
                let model = ShardModel(Self.builder, dataOffset: CARLayout.dataOffsetMin)
                #expect(try await model.problems(in: store.acquire("a")) == [], "\(size) bytes")
            } else {
                await #expect(throws: DAGStoreError(.truncated), "\(size) bytes") {
                    try await store.register("a", mount)
                }
            }
            try await store.destroy("a")
        }
        await store.close()
    }

    // The reference believes an embedded index without a look at the sections.
    @Test("an embedded index that lies changes no answer", arguments: 0..<12 as Range<UInt64>)
    func lyingIndex(seed: UInt64) async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: seed)
        let codec = seed % 2 == 0 ? CARIndex.multihashSorted : CARIndex.sorted
        var bytes = builder.encoded(version: 2, indexCodec: codec, storesIdentity: seed % 3 == 0)
        var generator = SplitMix64(seed: seed)
        let start = Int(CARLayout.dataOffsetMin) + builder.bytes.count
        switch seed % 4 {
        case 0: bytes.replaceSubrange(start..., with: generator.bytes(bytes.count - start))
        case 1: bytes.removeSubrange((start + bytes.count) / 2..<bytes.count)
        case 2: for index in start + 100..<bytes.count { bytes[index] = 0 }
        default:
            for _ in 0..<100 {
                bytes[Int.random(in: start..<bytes.count, using: &generator)] ^= 0x55
            }
        }
        try await store.register("a", folder.mount(bytes))
        let model = ShardModel(builder, dataOffset: CARLayout.dataOffsetMin)
        #expect(try await model.problems(in: store.acquire("a")) == [], "seed \(seed)")
        await store.close()
    }

    @Test(
        "an index offset that leads nowhere or into the data changes no answer",
        arguments: [1, 51, 60, 1 << 40, 1 << 62] as [UInt64]
    )
    func lyingIndexOffset(offset: UInt64) async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.versionTwo(indexOffset: offset)))
        let model = ShardModel(Self.builder, dataOffset: CARLayout.dataOffsetMin)
        #expect(try await model.problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("null padding is an error where the limits say so")
    func nullPadding() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.limits.nullPadding = .refused }
        let mount = try folder.mount(Self.builder.bytes + [0])
        await #expect(throws: DAGStoreError(.malformedCAR)) { try await store.register("a", mount) }
        try await store.register("b", folder.mount(Self.builder.bytes, named: "b"))
        await store.close()
    }

    @Test("sections and headers beyond the configured limits are refused")
    func limits() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.uniform(sections: 3, blockSize: 100, seed: 1)
        let mount = try folder.mount(builder.bytes)
        for (section, header, isAccepted) in [
            (136, 1000, true), (135, 1000, false), (136, 20, false),
        ] {
            let store = try folder.open {
                $0.limits.sectionSizeMax = UInt64(section)
                $0.limits.headerSizeMax = UInt64(header)
            }
            if isAccepted {
                try await store.register("a", mount)
            } else {
                await #expect(throws: DAGStoreError(.limitExceeded)) {
                    try await store.register("a", mount)
                }
            }
            try await store.destroy("a")
            await store.close()
        }
    }

    @Test("a mount that cannot be read leaves a failed shard with its code")
    func unreadable() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let pipe = folder.path(of: "pipe")
        // SAFETY: the string is read during the call.
        let code = unsafe pipe.withCString { unsafe mkfifo($0, 0o600) }
        try #require(code == 0)
        let cases: [(String, DAGStoreError.Code)] = [
            ("none.car", .mountGone), ("none/a.car", .mountGone), ("store", .mountUnreachable),
            ("pipe", .mountUnreachable), (String(repeating: "n", count: 300), .mountUnreachable),
        ]
        for (name, code) in cases {
            let mount = DAGMounts.FileMount(FilePath(folder.path(of: name)))
            await #expect(throws: DAGStoreError(code), "\(name)") {
                try await store.register("a", mount)
            }
            #expect(try store.status(of: "a")?.error == DAGStoreError(code))
            try await store.destroy("a")
        }
        await store.close()
    }

    @Test(
        "random damage is refused or indexed as it is, and never traps",
        arguments: 0..<3 as Range<UInt64>
    )
    func mutated(seed: UInt64) async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        var generator = SplitMix64(seed: seed)
        let good = [
            CARBuilder.mixed(seed: seed).bytes,
            CARBuilder.mixed(seed: seed).encoded(version: 2, indexCodec: CARIndex.sorted),
        ]
        for round in 0..<150 {
            var bytes = good[round % 2]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            let mount = try folder.mount(bytes)
            do {
                try await store.register("a", mount)
                let shard = try await store.acquire("a")
                for try await cid in shard.cids {
                    #expect(try shard.location(of: cid) != nil, "seed \(seed), round \(round)")
                    _ = try shard.blockIfLocal(for: cid).map { try $0.copiedBytes }
                }
            } catch let error as DAGStoreError {
                #expect([4, 5].contains(error.code.exitStatus), "seed \(seed): \(error)")
            }
            try await store.destroy("a")
        }
        await store.close()
    }
}
