import DAGBytes
import DAGCAR
import DAGHashing
import DAGMultiformats
import Foundation
import FuzzChecks
import ShardIndex
import TestSupport
import Testing

/// Replays the seeds and findings of the fuzzers, without a fuzzer.
@Suite("Fuzz corpus")
struct FuzzCorpusTests {
    /// One kept input.
    struct Input: CustomTestStringConvertible, Sendable {
        var check: FuzzCheck
        var url: URL

        var testDescription: String { "\(check.rawValue)/\(url.lastPathComponent)" }

        static func all() throws -> [Input] {
            try FuzzCheck.allCases.flatMap { check in
                try PackageFolder.fuzzCorpus.appending(path: check.rawValue).files().map {
                    Input(check: check, url: $0)
                }
            }
        }
    }

    @Test(
        "readers agree with themselves about every input that is kept",
        arguments: try Input.all()
    )
    func replay(input: Input) throws {
        try input.url.bytes().withView { try input.check.run($0) }
    }

    @Test(
        "all readers agree about the corpus",
        arguments: FuzzCheck.allCases
    )
    func seeds(check: FuzzCheck) throws {
        for (name, bytes) in try FuzzSeeds.inputs(for: check) {
            do {
                try bytes.withView { try check.run($0) }
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test(
        "readers agree with themselves about damaged inputs",
        arguments: FuzzCheck.allCases,
        [1, 2]
    )
    func damage(check: FuzzCheck, seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for (name, bytes) in try FuzzSeeds.inputs(for: check) {
            for _ in 0..<40 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) where !damaged.isEmpty {
                    let index = Int.random(in: 0..<damaged.count, using: &generator)
                    damaged[index] = UInt8.random(in: 0...255, using: &generator)
                }
                if Bool.random(using: &generator) {
                    damaged.removeLast(Int.random(in: 0...damaged.count, using: &generator))
                }
                do {
                    try damaged.withView { try check.run($0) }
                } catch {
                    Issue.record("\(name), seed \(seed): \(error)\n\(damaged.hexadecimal)")
                    return
                }
            }
        }
    }

    /// `DAGSTORE_WRITE_SEEDS=1` writes them, for the fuzzers to start from.
    @Test("the corpus has every seed", arguments: FuzzCheck.allCases)
    func seedsAreKept(check: FuzzCheck) throws {
        let folder = PackageFolder.fuzzCorpus.appending(path: check.rawValue)
        let isWriting = ProcessInfo.processInfo.environment["DAGSTORE_WRITE_SEEDS"] != nil
        for (name, bytes) in try FuzzSeeds.inputs(for: check) {
            let url = folder.appending(path: name)
            if isWriting {
                let manager = FileManager.default
                try manager.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(bytes).write(to: url)
            }
            #expect(FileManager.default.fileExists(atPath: url.path), "\(check.rawValue)/\(name)")
        }
    }
}

/// Small inputs of every kind that a check knows.
enum FuzzSeeds {
    static func inputs(for check: FuzzCheck) throws -> [(name: String, bytes: [UInt8])] {
        let inputs =
            switch check {
            case .car: cars()
            case .carIndex: carIndexes()
            case .page: try shards().flatMap { shard in shard.pages.map { (shard.name, $0) } }
            case .root: try shards().map { ($0.name, $0.root) }
            case .segment: try shards().flatMap { shard in shard.segments.map { (shard.name, $0) } }
            case .inverse: try runs()
            case .chunkDirectory: try directories()
            case .dagPB: dagPB()
            case .dagCBOR: dagCBOR()
            case .dagJSON: dagJSON()
            case .unixFS: unixFS()
            case .traversal: traversals()
            case .gateway: requests()
            }
        return inputs.enumerated().map { number, input in
            (name: "seed-\(number < 10 ? "0" : "")\(number)-\(input.0)", bytes: input.1)
        }
    }

    /// The first segment of a run of every shape, and the byte that chooses the shape.
    private static func runs() throws -> [(String, [UInt8])] {
        try (0..<16 as Range<UInt8>).map { selector in
            let shape = FuzzCheck.runShape(selector)
            var random = SplitMix64(seed: UInt64(selector))
            var entries = (0..<20).map { number in
                let shard = 7 + UInt32(number) % (shape.shardBits == 0 ? 1 : 2)
                return InverseEntry(hash: random.next() >> 20, shard: shard)
            }
            if shape.shardBits > 2 {
                entries += (0..<5).map { InverseEntry(hash: 99, shard: 7 + $0) }
            }
            var bytes: [UInt8] = []
            var builder = InverseRunBuilder(shape) { number, segment in
                if number == 0 { bytes = segment }
            }
            for entry in entries.sorted(by: <) { try builder.append(entry) }
            _ = try builder.finish()
            return ("run-of-\(entries.count)", bytes + [selector])
        }
    }

    /// Directories of runs of one shard, and of a merge of two shards in one of eight partitions.
    private static func directories() throws -> [(String, [UInt8])] {
        var random = SplitMix64(seed: 5)
        let runs = try [0, 1, 400, 30_000].enumerated().map { shard, count in
            let hashes = (0..<count).map { _ in random.next() >> 16 }
            var chunks: [[UInt8]] = []
            var builder = try ChunkedRunBuilder(
                entries: UInt64(count),
                shard: UInt32(shard),
                sink: { chunks.append($0) }
            )
            for hash in hashes.sorted() { try builder.append(hash) }
            let directory = try builder.finish()
            return ChunkInput(directory) { [chunks] in chunks[$0] }
        }
        let merge = ChunkMerge(partition: 5, bits: 3, inputs: Array(runs[2...])) { _ in true }
        let merged = try merge.run { _ in }.directory
        return (runs.map(\.directory) + [merged]).map {
            ("chunks-\($0.chunks.lowerBound)-to-\($0.chunks.upperBound)", $0.encoded)
        }
    }

    /// Requests of every kind: method, target, Accept, Cache-Control, If-None-Match, If-Range, Range.
    private static func requests() -> [(String, [UInt8])] {
        let cid = "bafybeietjm63oynimmv5yyqay33nui4y4wx6u3peezwetxgiwvfmelutzu"
        let tag = "\"\(cid).raw\""
        let car = "application/vnd.ipld.car; version=1; order=dfs; dups=y"
        return [
            ("block", "G\n/ipfs/\(cid)?format=raw"),
            ("block-head", "H\n/ipfs/\(cid)\napplication/vnd.ipld.raw;q=0.5, \(car);q=0.4"),
            ("block-range", "G\n/ipfs/\(cid)?format=raw\n\n\n\n\(tag)\nbytes=6-16"),
            ("block-known", "G\n/ipfs/\(cid)?format=raw\n\nonly-if-cached\nW/\"a\", \(tag)"),
            ("probe", "G\n/ipfs/bafkqaaa?format=raw"),
            ("file-name", "G\n/ipfs/\(cid)?format=raw&filename=%C3%A4%2F.bin"),
            ("car", "G\n/ipfs/\(cid)/a/b%20c?format=car&dag-scope=entity&entity-bytes=-5:*"),
            ("car-form", "G\n/ipfs/\(cid)?car-dups=n&car-order=unk&car-version=1\n\(car)"),
            ("absolute", "G\nhttp://host/ipfs/\(cid)?format=car"),
            ("piece", "G\n/piece/a%2Fb?filename=x\n\n\n*\n\nbytes=-9"),
            ("health", "G\n/health/readyz"), ("options", "O\n*"), ("other", "X\n/"),
        ].map { ($0, Array($1.utf8)) }
    }

    private static func cars() -> [(String, [UInt8])] {
        let small = SectionScannerTests.small
        let padded = small.bytes + [UInt8](repeating: 0, count: 20)
        return [
            ("empty", CARBuilder().bytes), ("small", small.bytes), ("padded", padded),
            ("two-roots", CARBuilder(roots: [small.blocks[0].cid, small.blocks[1].cid]).bytes),
            ("v2", small.encoded(version: 2)),
            ("v2-sorted", small.encoded(version: 2, indexCodec: CARIndex.sorted)),
            ("v2-grouped", small.encoded(version: 2, indexCodec: CARIndex.multihashSorted)),
            ("v2-inner-padding", CARLayoutTests.versionTwo(padded, before: 5, after: 5)),
            ("mixed", CARBuilder.mixed(seed: 1).bytes),
        ]
    }

    private static func carIndexes() -> [(String, [UInt8])] {
        [SectionScannerTests.small, CARBuilder.mixed(seed: 1)].flatMap { car in
            [CARIndex.sorted, CARIndex.multihashSorted].map { codec in
                var builder = CARIndexBuilder(storesIdentity: true)
                for (block, section) in zip(car.blocks, car.sections) {
                    block.cid.withDigest {
                        builder.append(
                            hashCode: block.cid.hashCode,
                            digest: $0,
                            offset: section.offset
                        )
                    }
                }
                let name = codec == CARIndex.sorted ? "sorted" : "grouped"
                return ("\(name)-of-\(car.blocks.count)", builder.encoded(codec: codec))
            }
        }
    }

    /// Keeps the pieces of an index.
    private final class Pieces: IndexSink {
        var values: [[UInt8]] = []
        var segments: [[UInt8]] = []

        func writePages(_ number: Int, _ bytes: [UInt8]) { values.append(bytes) }
        func writeSegment(_ number: Int, _ bytes: [UInt8]) { segments.append(bytes) }
        func writeInverse(_ number: Int, _ bytes: [UInt8]) {}
        func spill(_ bytes: ByteView) -> UInt64 { preconditionFailure("nothing is that large") }
        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {}
    }

    private struct Shard {
        var name: String
        var root: [UInt8]
        var pages: [[UInt8]]
        var segments: [[UInt8]]
    }

    private static func shards() throws -> [Shard] {
        let large = CARBuilder.uniform(sections: 300, blockSize: 5, seed: 2)
        let cars = [
            ("small", SectionScannerTests.small), ("mixed", CARBuilder.mixed(seed: 1)),
            ("large", large),
        ]
        return try cars.flatMap { name, car in
            try [PagePolicy.direct, .zstd].map { policy in
                try shard(of: car, name: "\(name)-\(policy)", policy: policy, knowsAll: true)
            } + [try shard(of: car, name: "\(name)-imported", policy: .smallest, knowsAll: false)]
        }
    }

    private static func shard(
        of car: CARBuilder,
        name: String,
        policy: PagePolicy,
        knowsAll: Bool
    ) throws -> Shard {
        let sink = Pieces()
        let sections = car.sections
        let end = sections.last?.end ?? 0
        var builder = try IndexBuilder(
            hash: KeyedHash(key: (1, 2)),
            policy: policy,
            dataOffset: 51,
            payloadSize: end,
            headerSize: sections.first?.offset ?? 0,
            roots: car.roots,
            sink: sink
        )
        for (block, section) in zip(car.blocks, sections) {
            try block.cid.withDigest { digest throws(ShardIndexError) in
                guard !knowsAll else {
                    return try builder.append(
                        offset: section.offset,
                        size: section.end - section.offset,
                        layout: section.cid,
                        digest: digest
                    )
                }
                var kind = EntryKind(section.cid)
                kind.version = 1
                kind.codec = nil
                if section.offset % 2 == 0 { kind.hashCode = nil }
                try builder.append(offset: section.offset, size: nil, kind: kind, digest: digest)
            }
        }
        let root = try builder.finish(dataEnd: end).root
        let pages = root.pages.map { page in
            Array(sink.values[Int(page.value)][Int(page.start)..<Int(page.start + page.size)])
        }
        return Shard(
            name: name,
            root: root.encoded(policy: policy),
            pages: pages,
            segments: sink.segments
        )
    }
}
