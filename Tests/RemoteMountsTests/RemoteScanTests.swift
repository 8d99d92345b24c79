#if Node
    import DAGBytes
    import DAGCAR
    import DAGMounts
    import DAGMultiformats
    import Foundation
    import ObjectStorage
    import Synchronization
    import TestSupport
    import Testing

    @testable import RemoteMounts

    /// Indexing of remote CARs: the same index as a local file's, for few requests or bytes.
    @Suite("Remote scans", .timeLimit(.minutes(10)))
    struct RemoteScanTests {
        /// Measures that decide for one way, whatever the server does.
        enum Way: String, CaseIterable {
            case ranges, stream, measured

            var measures: ScanMeasures? {
                switch self {
                case .ranges: .rangesOnly
                case .stream: .streamOnly
                case .measured: nil
                }
            }
        }

        /// A CAR whose blocks have the given sizes.
        private static func car(_ sizes: [Int], seed: UInt64) -> CARBuilder {
            var generator = SplitMix64(seed: seed)
            let blocks = sizes.map { CARBuilder.Block.raw(generator.bytes($0)) }
            return CARBuilder(roots: blocks.prefix(1).map(\.cid), blocks: blocks)
        }

        private static let files = car(
            (0..<6).flatMap { [Int](repeating: 65_536, count: 20) + [300 + $0, 5000, 17] },
            seed: 50
        )
        private static let random: CARBuilder = {
            var generator = SplitMix64(seed: 51)
            return car(
                (0..<80).map { _ in .random(in: 20_000...90_000, using: &generator) },
                seed: 52
            )
        }()

        /// Indexes `server`'s object on a thread that may block.
        private static func index(
            _ url: String,
            _ remote: RemoteClient,
            _ limits: CARLimits = CARLimits()
        ) async throws -> IndexPieces {
            guard case .random(let source) = try await HTTPMount(url, remote).open() else {
                throw MountError(.unreachable, "the server sends no parts")
            }
            let bytes = RemoteBytes(source, name: url)
            return try await JobPool(label: "test", width: 1).run { IndexPieces(of: bytes, limits) }
        }

        private static func local(_ bytes: [UInt8], _ limits: CARLimits = CARLimits())
            -> IndexPieces
        {
            IndexPieces(of: MemoryBytes(MountBytes(copying: bytes), name: "local"), limits)
        }

        /// Checks that both ways and the measured one give the index of a local file.
        private static func checkSame(
            _ bytes: [UInt8],
            _ limits: CARLimits = CARLimits(),
            _ comment: Comment? = nil
        ) async throws {
            let expected = local(bytes, limits)
            let server = try await ScriptedServer { request in
                request.target == "/a.car" ? ScriptedServer.serve(bytes, request) : .init(404)
            }
            for way in Way.allCases {
                let remote = RemoteClient(localOptions { $0.scanMeasures = way.measures })
                let found = try await index(server.url + "/a.car", remote, limits)
                #expect(found == expected, comment)
            }
        }

        @Test(
            "CARs of both versions, with and without an index, have the index of a local file",
            arguments: [1, 2] as [UInt64],
            [nil, CARIndex.sorted, CARIndex.multihashSorted]
        )
        func sameIndex(version: UInt64, codec: UInt64?) async throws {
            guard version == 2 || codec == nil else { return }
            for car in [Self.files, Self.random, .mixed(seed: 53), CARBuilder()] {
                for storesIdentity in [false, true] where codec != nil || !storesIdentity {
                    let bytes = car.encoded(
                        version: version,
                        indexCodec: codec,
                        storesIdentity: storesIdentity
                    )
                    try await Self.checkSame(bytes)
                }
            }
        }

        @Test(
            "many small sections, and small ones between large ones, have the index of a local file"
        )
        func manySections() async throws {
            try await Self.checkSame(
                CARBuilder.uniform(sections: 9000, blockSize: 100, seed: 54).bytes
            )
            let sizes = (0..<4).flatMap { _ in
                [Int](repeating: 50_000, count: 30) + [Int](repeating: 200, count: 1500)
            }
            try await Self.checkSame(Self.car(sizes, seed: 55).bytes)
        }

        @Test("padding, a cut section and malformed sections end a scan as they end a local walk")
        func faults() async throws {
            for car in [Self.files, CARBuilder.uniform(sections: 700, blockSize: 100, seed: 56)] {
                let bytes = car.bytes
                let padded = bytes + [UInt8](repeating: 0, count: 300_000)
                try await Self.checkSame(padded)
                try await Self.checkSame(padded, CARLimits(nullPadding: .refused))
                #expect(Self.local(padded, CARLimits(nullPadding: .refused)).error == "nullPadding")
                for cut in [1, 16, 39, 60] {
                    try await Self.checkSame(Array(bytes.dropLast(cut)))
                    #expect(Self.local(Array(bytes.dropLast(cut))).error == "truncated")
                }
                try await Self.checkSame(bytes + [0x80])
                try await Self.checkSame(bytes + [0x80, 0x00, 1])
                try await Self.checkSame(bytes + [5, 9, 9, 9, 9, 9])
                try await Self.checkSame(bytes + [0xff, 0xff, 0xff, 0xff, 0x7f])
                try await Self.checkSame(bytes, CARLimits(sectionSizeMax: 120))
            }
        }

        @Test(
            "CARs that others wrote have the index, or the fault, of a local file",
            .enabled(if: Vectors.areHere, "the vectors are not here")
        )
        func vectors() async throws {
            let paths = Set(Vectors.reference.map(\.path) + Vectors.publicVectors.map(\.path))
            var count = 0
            for path in paths where path.hasSuffix(".car") {
                let bytes = [UInt8](try Data(contentsOf: Vectors.url(path)))
                guard !bytes.isEmpty, bytes.count < 4 << 20 else { continue }
                try await Self.checkSame(bytes, CARLimits(), "\(path)")
                count += 1
            }
            #expect(count > 10)
        }

        // MARK: Requests

        @Test("small sections cost one request, whose bytes are read once")
        func smallSections() async throws {
            let bytes = CARBuilder.uniform(sections: 20_000, blockSize: 256, seed: 57).bytes
            // A round trip of 30 ms, which a request for each header would pay thousands of times.
            let server = try await ScriptedServer { request in
                var reply = ScriptedServer.serve(bytes, request)
                reply.delay = 30
                return reply
            }
            let remote = RemoteClient(localOptions())
            let found = try await Self.index(server.url + "/a.car", remote)
            #expect(found == Self.local(bytes))
            // The opening, the stream, and the look at the version at the end.
            #expect(server.requests.map(\.method) == ["GET", "GET", "HEAD"])
            #expect(remote.counters.bytes <= UInt64(bytes.count) + 4096)
        }

        @Test("large sections cost a request each, several at once, and few bytes")
        func largeSections() async throws {
            let car = SparseCAR(sections: 4096, blockSize: 262_144)
            let server = try await ScriptedServer { car.answer($0) }
            let remote = RemoteClient(localOptions { $0.scanMeasures = Way.ranges.measures })
            let found = try await Self.index(server.url + "/a.car", remote)
            #expect(found.error == nil)
            let counters = remote.counters
            #expect(counters.requests < 4096 + 20, "\(counters)")
            #expect(counters.bytes < car.size / 100, "\(counters)")
            #expect(server.peak > 2 && server.peak <= 8)
        }

        @Test(
            "an index in the CAR or beside it tells where headers are, and a wrong one does no harm"
        )
        func existingIndex() async throws {
            var index = CARIndexBuilder(storesIdentity: false)
            for (block, section) in zip(Self.random.blocks, Self.random.sections) {
                block.cid.withDigest {
                    index.append(
                        hashCode: block.cid.layout.hashCode,
                        digest: $0,
                        offset: section.offset
                    )
                }
            }
            let right = index.encoded()
            let bytes = Self.random.bytes
            let expected = Self.local(bytes)
            var wrong = right
            for place in stride(from: 60, to: wrong.count, by: 7) { wrong[place] ^= 0x55 }
            for beside in [right, wrong, Array(right.dropLast(9)), [], nil] {
                let server = try await ScriptedServer { request in
                    if request.target == "/a.car?q=1" {
                        return ScriptedServer.serve(bytes, request)
                    }
                    guard request.target == "/a.car.idx?q=1", let beside else { return .init(404) }
                    return ScriptedServer.serve(beside, request)
                }
                let remote = RemoteClient(localOptions { $0.scanMeasures = Way.ranges.measures })
                #expect(try await Self.index(server.url + "/a.car?q=1", remote) == expected)
                // Sections of random sizes cannot be guessed, so the scan looks for an index.
                #expect(server.requests.contains { $0.target == "/a.car.idx?q=1" })
            }
            // The CAR's own index is read at once.
            let own = Self.random.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
            let server = try await ScriptedServer { ScriptedServer.serve(own, $0) }
            let remote = RemoteClient(localOptions { $0.scanMeasures = Way.ranges.measures })
            #expect(try await Self.index(server.url + "/a.car", remote) == Self.local(own))
            let last = "-\(own.count - 1)"
            #expect(server.requests.contains { $0.header("Range")?.hasSuffix(last) == true })
        }

        @Test("the requests for an index beside the CAR count in its shard's traffic")
        func traffic() async throws {
            let server = try await ScriptedServer { request in
                ScriptedServer.serve([UInt8](repeating: 7, count: 5000), request)
            }
            let remote = RemoteClient(localOptions())
            let mountURL = try MountURL(server.url + "/a.car")
            func target(_ path: String) throws -> ObjectTarget {
                let url = try ObjectURL(server.url + path)
                return ObjectTarget(url, authorizer: nil, counters: remote.counters(of: mountURL))
            }
            let counter = TrafficCounter()
            let object = RemoteObject(
                url: mountURL,
                target: try target("/a.car"),
                remote: remote,
                beside: try target("/a.car.idx")
            ).counting(in: counter)
            _ = try await remote.client.probe(object.target, size: 10, .index)
            #expect(counter.traffic == Traffic(requests: 1, bytes: 10))
            let beside = try #require(object.beside)
            _ = try await remote.client.probe(beside, size: 20, .index)
            #expect(counter.traffic == Traffic(requests: 2, bytes: 30))
            // Each request counts once in the numbers of all mounts.
            #expect(remote.counters.requests == 2 && remote.counters.bytes == 30)
        }

        // MARK: Changes and ends

        @Test(
            "a request that fails for good ends the scan, wherever in its window the header is",
            arguments: [(404, "gone"), (412, "changed"), (403, "unreachable")]
        )
        func failures(status: Int, error: String) async throws {
            let sizes = [50_000, 50_000, 50_100] + [Int](repeating: 50_000, count: 5)
            let car = Self.car(sizes, seed: 59)
            let bytes = car.bytes
            // The header is 100 bytes behind the place where the scan expects it.
            let guess = 2 * car.sections[2].offset - car.sections[1].offset
            #expect(car.sections[3].offset == guess + 100)
            let server = try await ScriptedServer { request in
                guard let range = request.header("Range"),
                    let first = range.dropFirst("bytes=".count).split(separator: "-").first,
                    let start = UInt64(first), start >= guess
                else { return ScriptedServer.serve(bytes, request) }
                var reply = ScriptedServer.Reply(status)
                // Most likely, the walk then waits for the guess.
                reply.delay = 50
                return reply
            }
            let remote = RemoteClient(localOptions { $0.scanMeasures = Way.ranges.measures })
            let found = try await Self.index(server.url + "/a.car", remote)
            #expect(found.error == error)
            let prefix = "bytes=\(guess)-"
            #expect(server.requests.contains { $0.header("Range")?.hasPrefix(prefix) == true })
        }

        @Test("a CAR that changes during a scan fails it", arguments: Way.allCases)
        func changes(way: Way) async throws {
            for (car, after) in [
                (Self.files, 8), (CARBuilder.uniform(sections: 9000, blockSize: 100, seed: 58), 2),
            ] {
                let bytes = car.bytes
                let count = Mutex(0)
                let server = try await ScriptedServer { request in
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    // The last request of a stream asks for the version alone.
                    let isNew = number > after || request.method == "HEAD"
                    return ScriptedServer.serve(bytes, tag: isNew ? "\"two\"" : "\"one\"", request)
                }
                let remote = RemoteClient(localOptions { $0.scanMeasures = way.measures })
                let found = try await Self.index(server.url + "/a.car", remote)
                #expect(found.error == "changed")
                #expect(found.values == [])
            }
        }

        @Test(
            "a scan that waits for the server ends when its source is cancelled",
            arguments: Way.allCases
        )
        func cancellation(way: Way) async throws {
            let gate = Gate()
            let bytes = Self.files.bytes
            let isOpen = Mutex(true)
            let server = try await ScriptedServer { request in
                if !isOpen.withLock({ $0 }) { try? await gate.pass(heedingCancellation: false) }
                return ScriptedServer.serve(bytes, request)
            }
            let remote = RemoteClient(localOptions { $0.scanMeasures = way.measures })
            guard
                case .random(let source) = try await HTTPMount(server.url + "/a.car", remote).open()
            else { throw MountError(.unreachable, "the server sends no parts") }
            isOpen.withLock { $0 = false }
            let remoteBytes = RemoteBytes(source, name: "a")
            async let found = JobPool(label: "test", width: 1).run {
                IndexPieces(of: remoteBytes, CARLimits())
            }
            await gate.waitForArrivals(1)
            remoteBytes.cancel()
            #expect(try await found.error == "cancelled")
            gate.open()
        }
    }
#endif
