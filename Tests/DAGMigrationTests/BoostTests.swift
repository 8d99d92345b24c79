#if LevelDB
    import DAGBytes
    import DAGCAR
    import DAGStorage
    import Foundation
    import DAGMounts
    import DAGMultiformats
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGMigration

    /// Boost's Local Index Directories, which the tests write row by row.
    @Suite("Boost")
    struct BoostTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func path(_ name: String) -> FilePath { FilePath(folder.path(of: name)) }

        /// A directory that a test fills.
        private struct Directory {
            let writer: LevelDBWriter

            init(_ folder: TemporaryFolder) throws {
                let place = folder.url.appending(path: "repo/lid/leveldb")
                try FileManager.default.createDirectory(
                    at: place,
                    withIntermediateDirectories: true
                )
                writer = try LevelDBWriter(creating: FilePath(place.path))
                try writer.put([0x2f] + [UInt8](repeating: 0, count: 10), padded(200))
            }

            func padded(_ value: UInt64) -> [UInt8] {
                var bytes: [UInt8] = []
                Varint.append(value, to: &bytes)
                return bytes + [UInt8](repeating: 0, count: 10 - bytes.count)
            }

            func addPiece(_ piece: String, cursor: UInt64) throws {
                let json =
                    #"{"v":"1","i":"2023-07-07T12:00:00Z","d":[{"u":"","y":false,"c":9}],"c":\#(cursor)}"#
                let key = [0x2f, 1] + [UInt8](repeating: 0, count: 9) + [0x2f]
                try writer.put(key + Array(piece.utf8), Array(json.utf8))
            }

            func addRecord(_ cursor: UInt64, _ multihash: String, offset: UInt64) throws {
                var value: [UInt8] = []
                Varint.append(offset, to: &value)
                Varint.append(UInt64(100), to: &value)
                try writer.put(Array("/\(cursor)/\(multihash)".utf8), value)
            }

            func addInverse(_ multihash: String, _ pieces: [String]) throws {
                let json = "[" + pieces.map { #"{"/":"\#($0)"}"# }.joined(separator: ",") + "]"
                let key = [0x2f, 2] + [UInt8](repeating: 0, count: 9) + Array(multihash.utf8)
                try writer.put(key, Array(json.utf8))
            }
        }

        private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
            bytes.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined()
        }

        /// Adds the rows of one go-car index in Boost's form: offsets count from the start of the piece.
        private func add(
            _ index: URL,
            _ piece: String,
            cursor: UInt64,
            dataOffset: UInt64,
            to directory: Directory
        ) throws {
            try directory.addPiece(piece, cursor: cursor)
            let file = try IndexFile(at: FilePath(index.path))
            var rows: [(String, UInt64)] = []
            try file.forEach { hashCode, digest, offset in
                var multihash: [UInt8] = []
                Varint.append(hashCode ?? 0, to: &multihash)
                Varint.append(UInt64(digest.count), to: &multihash)
                multihash.append(digest)
                rows.append((self.hexadecimal(multihash), offset + dataOffset))
            }
            for (multihash, offset) in rows {
                try directory.addRecord(cursor, multihash, offset: offset)
                try directory.addInverse(multihash, [piece])
            }
        }

        private func run(_ store: DAGStore, cars: String?) throws -> [String: MigrationRun.Outcome]
        {
            let source = try MigrationSource(at: path("repo"))
            var map = MountMap()
            if let cars { try map.map("lotus", to: "file://\(cars)/{key}.car") }
            let run = MigrationRun(from: source, to: store, map: map, verification: .full, jobs: 1)
            let outcomes = Mutex<[String: MigrationRun.Outcome]>([:])
            try run.run(source.plan(map: map)) { outcome in
                outcomes.withLock { $0[outcome.shard.key] = outcome }
            }
            return outcomes.withLock { $0 }
        }

        @Test(
            "offsets count from the payload, not from the start of a CARv2 piece",
            .enabled(if: Vectors.areHere),
            arguments: ["v1-mixed", "v2-noidx"]
        )
        func offsets(car: String) async throws {
            let index = Vectors.url("go-dagstore/indices/\(car).car.0401.idx")
            let bytes = try Data(contentsOf: Vectors.url("go-dagstore/cars/\(car).car"))
            let dataOffset = try Array(bytes).withView { view in
                Result { try CARLayout(reading: view).dataOffset }
            }.get()
            #expect(dataOffset > 0 || car.hasPrefix("v1"))
            try {
                let directory = try Directory(folder)
                try add(index, car, cursor: 100, dataOffset: dataOffset, to: directory)
                try directory.writer.finish()
            }()
            let cars = Vectors.url("go-dagstore/cars").path
            let store = try DAGStore.open(at: path("store"))
            let outcomes = try run(store, cars: cars)
            #expect(outcomes[car]?.result == .migrated)
            #expect(outcomes[car]?.error == nil)
            // The file that go-car writes. Unconverted offsets of a CARv2 would give other bytes.
            let expected = try Data(contentsOf: index)
            let export = MigrationExport(of: store, to: path("out"), layout: .indexes)
            try export.run { #expect($0.problems.isEmpty) }
            let made = FileManager.default.contents(
                atPath: path("out").appending(car + ".full.idx").string
            )
            #expect(made == expected)
            var unconverted: [UInt64] = []
            let records = BoostRecords(
                path: path("repo"),
                reader: try LevelDBReader(at: path("repo/lid/leveldb")),
                cursor: 100,
                dataOffset: 0
            )
            try records.forEach { _, _, offset in unconverted.append(offset) }
            var stored: [UInt64] = []
            _ = try ShardExporter(store).forEachEntry(of: ShardKey(car)) { entry in
                stored.append(entry.offset)
                return true
            }
            #expect(stored == unconverted.map { $0 - dataOffset }.sorted())
            var first = Multihash(code: 0, digest: [])
            _ = try ShardExporter(store).forEachEntry(of: ShardKey(car)) { entry in
                first = Multihash(code: entry.hashCode ?? 0, digest: entry.digest.copied)
                return false
            }
            // Each multihash leads to its block after the CAR was read.
            let shard = try await store.acquire(ShardKey(car))
            #expect(try shard.contains(CID(codec: 0x55, multihash: first)))
            shard.release()
            await store.close()
        }

        @Test(
            "a piece without a readable CAR answers which shard has a block, and is not exported with wrong offsets",
            .enabled(if: Vectors.areHere)
        )
        func unreadable() async throws {
            let index = Vectors.url("go-dagstore/indices/v2-noidx.car.0401.idx")
            try {
                let directory = try Directory(folder)
                try add(index, "piece", cursor: 101, dataOffset: 51, to: directory)
                try directory.writer.finish()
            }()
            let store = try DAGStore.open(at: path("store"))
            let outcomes = try run(store, cars: nil)
            #expect(outcomes["piece"]?.result == .migrated)
            #expect(outcomes["piece"]?.error == nil)
            #expect(outcomes["piece"]?.shard.problems.map(\.kind) == [.unknownScheme])
            let file = try IndexFile(at: FilePath(index.path))
            var digests: [[UInt8]] = []
            try file.forEach { _, digest, _ in digests.append(digest.copied) }
            #expect(!digests.isEmpty)
            for digest in digests {
                let multihash = Multihash(code: 0x12, digest: digest)
                #expect(try store.shards(containing: multihash).map(\.text) == ["piece"])
            }
            let export = MigrationExport(of: store, to: path("out"), layout: .indexes)
            try export.run { #expect($0.problems.map(\.kind) == [.missingIndex]) }
            await store.close()
        }

        @Test(
            "pieces without an index, with a shared cursor or with damage have different problems"
        )
        func oddPieces() async throws {
            try {
                let directory = try Directory(folder)
                let multihash = "1220" + String(repeating: "ab", count: 32)
                try directory.addPiece("whole", cursor: 100)
                try directory.addRecord(100, multihash, offset: 59)
                try directory.addInverse(multihash, ["whole", "empty", "gone"])
                try directory.addRecord(1000, multihash, offset: 59)
                try directory.addPiece("never", cursor: 0)
                try directory.addPiece("empty", cursor: 105)
                for name in ["one", "two"] { try directory.addPiece(name, cursor: 106) }
                try directory.addRecord(106, multihash, offset: 59)
                try directory.addPiece("broken", cursor: 107)
                try directory.addRecord(107, "1220abc", offset: 59)
                try directory.addPiece("short", cursor: 108)
                try directory.addRecord(108, "1220abab", offset: 59)
                let prefix = [0x2f, 1] + [UInt8](repeating: 0, count: 9) + [0x2f]
                try directory.writer.put(prefix + Array("nonsense".utf8), Array("{".utf8))
                try directory.writer.finish()
            }()
            let source = try MigrationSource(at: path("repo"), layout: .boostLID)
            let plan = try source.plan(schemes: ["lotus"])
            var kinds: [String: [MigrationProblem.Kind]] = [:]
            for shard in plan.shards { kinds[shard.key] = shard.problems.map(\.kind) }
            #expect(
                kinds == [
                    "whole": [], "never": [], "empty": [.missingIndex], "one": [.sharedCursor],
                    "two": [.sharedCursor], "broken": [.malformedIndex], "short": [.malformedIndex],
                    "nonsense": [.malformedRecord],
                ]
            )
            #expect(plan.entries == 1)
            let available = plan.shards.filter { $0.state == .available }.map(\.key)
            #expect(available == ["whole"])
            let store = try DAGStore.open(at: path("store"))
            let outcomes = try run(store, cars: nil)
            #expect(outcomes.count == 8)
            #expect(outcomes.values.allSatisfy { $0.result == .migrated && $0.error == nil })
            let check = MigrationCheck(of: source, with: store)
            for shard in plan.shards { #expect(try check.difference(of: shard) == nil) }
            #expect(
                try check.strayInverse(plan).map(\.detail)
                    == ["empty: not in its index, 1 entries", "gone: no record, 1 entries"]
            )
            await store.close()
        }

        @Test("an offset before the payload is refused")
        func beforePayload() throws {
            try {
                let directory = try Directory(folder)
                try directory.addRecord(100, "0000", offset: 50)
                try directory.writer.finish()
            }()
            let records = BoostRecords(
                path: path("repo"),
                reader: try LevelDBReader(at: path("repo/lid/leveldb")),
                cursor: 100,
                dataOffset: 51
            )
            #expect(throws: MigrationError(.malformedIndex, "", "")) {
                try records.forEach { _, _, _ in }
            }
        }
    }
#endif
