internal import DAGBytes
internal import DAGCAR
internal import DAGHashing
internal import DAGMultiformats
internal import DAGStorage
internal import ShardIndex
internal import ShardLifecycle

/// A single step that a benchmark repeats, for a tool that counts instructions.
public struct MeasuredStep: Sendable {
    /// The name of the step.
    public let name: String
    /// A description of one step.
    public let about: String
    private let prepare: @Sendable () throws -> (Int) throws -> UInt64

    init(
        _ name: String,
        _ about: String,
        _ prepare: @escaping @Sendable () throws -> (Int) throws -> UInt64
    ) {
        self.name = name
        self.about = about
        self.prepare = prepare
    }

    /// Prepares the step's data, and returns a function that does a number of steps.
    ///
    /// The function's result depends on all steps, so that the compiler cannot remove one.
    public func prepared() throws -> (Int) throws -> UInt64 { try prepare() }

    /// Every step.
    public static let all: [MeasuredStep] = [
        varint, cid, cidText, section, pageEncoding, pageDecoding, locator, absentLocator, inverse,
        lifecycle,
    ]

    // MARK: Bytes

    private static let varint = MeasuredStep("varint", "a varint of one to five bytes is decoded") {
        var bytes: [UInt8] = []
        var random = StepRandom(seed: 1)
        for _ in 0..<1000 { Varint.append(random.next() >> (29 + random.next() % 30), to: &bytes) }
        let owned = bytes.withView { OwnedBytes(copying: $0) }
        return { count in
            let view = owned.view
            var sum: UInt64 = 0
            var offset = 0
            for _ in 0..<count {
                if offset >= view.count { offset = 0 }
                let decoded = Varint.decode(view, at: offset)
                sum &+= decoded.value
                offset &+= decoded.size
            }
            return sum
        }
    }

    private static let cid = MeasuredStep(
        "cid",
        "a binary CID is taken apart, one in eight of version 0"
    ) {
        var bytes: [[UInt8]] = []
        var random = StepRandom(seed: 2)
        for number in 0..<64 {
            let head: [UInt8] = number % 8 == 0 ? [0x12, 0x20] : [1, 0x55, 0x12, 0x20]
            bytes.append(head + random.digest())
        }
        let owned = bytes.map { $0.withView { OwnedBytes(copying: $0) } }
        return { count in
            var sum: UInt64 = 0
            for number in 0..<count {
                guard case .success(let layout) = CIDLayout.decode(owned[number & 63].view) else {
                    continue
                }
                sum &+= layout.codec &+ UInt64(layout.digestOffset)
            }
            return sum
        }
    }

    private static let cidText = MeasuredStep("cid.text", "a CID is read from its text") {
        var random = StepRandom(seed: 3)
        let texts = (0..<64).map { _ in
            CID(codec: 0x55, multihash: Multihash(code: 0x12, digest: random.digest())).description
        }
        return { count in
            var sum: UInt64 = 0
            for number in 0..<count { sum &+= try CID(texts[number & 63]).codec }
            return sum
        }
    }

    private static let section = MeasuredStep(
        "section",
        "the next section of a CAR of 256-byte blocks"
    ) {
        var random = StepRandom(seed: 4)
        var writer = CARWriter(roots: [])
        var bytes = writer.start()
        let start = UInt64(bytes.count)
        for _ in 0..<1000 {
            let cid = CID(codec: 0x55, multihash: Multihash(code: 0x12, digest: random.digest()))
            bytes += writer.prefix(for: cid, dataSize: 256)
            bytes += [UInt8](repeating: 7, count: 256)
        }
        let owned = bytes.withView { OwnedBytes(copying: $0) }
        return { count in
            let view = owned.view
            var sum: UInt64 = 0
            var left = count
            var section = Section.none
            while left > 0 {
                var scanner = SectionScanner(start: start, payloadSize: UInt64(view.count))
                while left > 0, case .section = try scanner.next(in: view, at: 0, into: &section) {
                    sum &+= section.offset
                    left -= 1
                }
            }
            return sum
        }
    }

    // MARK: Index

    private static let pageEncoding = MeasuredStep(
        "page.encode",
        "a page of 256 sections of random lengths is encoded"
    ) {
        var random = StepRandom(seed: 5)
        let digests = (0..<256).map { _ in random.digest() }
        let sizes = (0..<256).map { _ in 40 + random.next() % 300_000 }
        let kind = EntryKind(version: 1, codec: 0x55, hashCode: 0x12, digestSize: 32)
        return { count in
            var encoder = PageEncoder(policy: .smallest)
            var sum: UInt64 = 0
            for _ in 0..<count {
                var page: [UInt8] = []
                var offset: UInt64 = 59
                for slot in 0..<256 {
                    digests[slot].withView {
                        encoder.append(
                            ordinal: UInt64(slot),
                            offset: offset,
                            size: sizes[slot],
                            kind: kind,
                            isSameKind: slot > 0,
                            digest: $0,
                            hash: offset
                        )
                    }
                    offset += sizes[slot]
                }
                _ = encoder.finish(to: &page)
                sum &+= UInt64(page.count)
            }
            return sum
        }
    }

    private static let pageDecoding = MeasuredStep(
        "page.decode",
        "a page of 256 sections is decoded"
    ) {
        let parts = try IndexedEntries(count: 256, seed: 5)
        let page = parts.pages[0]
        return { count in
            var sum: UInt64 = 0
            for _ in 0..<count {
                sum &+= UInt64(try page.withView { try DecodedPage(reading: $0) }.count)
            }
            return sum
        }
    }

    private static let locator = MeasuredStep(
        "locator.hit",
        "a digest that is there is looked up among 100,000, unconfirmed"
    ) { try lookups(areThere: true) }

    private static let absentLocator = MeasuredStep(
        "locator.miss",
        "a digest that is not there is looked up among 100,000"
    ) { try lookups(areThere: false) }

    private static func lookups(areThere: Bool) throws -> (Int) throws -> UInt64 {
        let parts = try IndexedEntries(count: 100_000, seed: 6)
        let owners = parts.segments.map { $0.withView { OwnedBytes(copying: $0) } }
        let segments = try owners.map { try LocatorSegment(reading: $0.view) }
        var random = StepRandom(seed: 7)
        let digests = (0..<1024).map { number in
            let digest = areThere ? parts.digests[number * 97] : random.digest()
            return digest.withView { OwnedBytes(copying: $0) }
        }
        return { count in
            var sum: UInt64 = 0
            for number in 0..<count {
                let hashed = parts.hash.hash(digests[number & 1023].view).high
                let place = hashed.multipliedFullWidth(by: UInt64(segments.count))
                let segment = segments[Int(place.high)]
                var search = segment.search(position: place.low)
                sum &+= segment.next(&search) ?? 1
            }
            // The views must not outlive their bytes.
            return withExtendedLifetime(owners) { sum }
        }
    }

    private static let inverse = MeasuredStep(
        "inverse",
        "a hash is looked up in a run of 100,000 entries of one shard"
    ) {
        let parts = try IndexedEntries(count: 100_000, seed: 8)
        guard case .run(let shape) = parts.inverse else {
            throw DAGStoreError(.invalidArgument, "the shard has no run of its own")
        }
        let owners = parts.inverseSegments.map { $0.withView { OwnedBytes(copying: $0) } }
        let run = InverseRun(
            shape,
            segments: try owners.map { try InverseSegment(reading: $0.view, of: shape) }
        )
        let hashes = (0..<1024).map { number in
            parts.digests[number * 97].withView { InverseEntry.hash(of: parts.hash.hash($0).high) }
        }
        return { count in
            var found: UInt64 = 0
            for number in 0..<count {
                let hash = hashes[number & 1023]
                run.segments[shape.segment(of: hash)].forEachShard(of: hash) { _ in found &+= 1 }
            }
            return withExtendedLifetime(owners) { found }
        }
    }

    // MARK: Lifecycle

    private static let lifecycle = MeasuredStep(
        "lifecycle",
        "an open shard is acquired, or released"
    ) {
        { count in
            var shard = ShardLifecycle(.available)
            _ = shard.receive(.acquire, job: 1)
            _ = shard.receive(.opened(job: 1), job: 2)
            var effects: UInt64 = 0
            for number in 0..<count {
                let event: ShardLifecycle.Event = number & 1 == 0 ? .acquire : .release
                effects &+= UInt64(shard.receive(event, job: 3).count)
            }
            return effects
        }
    }
}

/// A seeded generator, so that each run measures the same.
private struct StepRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    mutating func digest() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<4 { bytes.append(littleEndian: next()) }
        return bytes
    }
}

/// The index of sections with random digests and lengths, in memory.
private struct IndexedEntries: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: nothing changes after `init`; the sink is dropped there.
    let hash = KeyedHash(key: (3, 4))
    let digests: [[UInt8]]
    let pages: [[UInt8]]
    let segments: [[UInt8]]
    let inverseSegments: [[UInt8]]
    let inverse: InverseParts

    init(count: Int, seed: UInt64) throws {
        var random = StepRandom(seed: seed)
        let digests = (0..<count).map { _ in random.digest() }
        let sizes = (0..<count).map { _ in 40 + random.next() % 300_000 }
        let sink = KeepingSink()
        var builder = try IndexBuilder(
            hash: hash,
            policy: .smallest,
            dataOffset: 0,
            payloadSize: 59 + sizes.reduce(0, +),
            headerSize: 59,
            roots: [],
            sink: sink
        )
        let kind = EntryKind(version: 1, codec: 0x55, hashCode: 0x12, digestSize: 32)
        var offset: UInt64 = 59
        for (digest, size) in zip(digests, sizes) {
            try digest.withView { view throws(ShardIndexError) in
                try builder.append(offset: offset, size: size, kind: kind, digest: view)
            }
            offset += size
        }
        let built = try builder.finish(dataEnd: offset)
        self.digests = digests
        pages = built.root.pages.map { place in
            let start = Int(place.start)
            return Array(sink.values[Int(place.value)][start..<start + Int(place.size)])
        }
        segments = sink.segments
        inverseSegments = sink.inverse
        inverse = built.inverse
    }
}

/// A sink that keeps all pieces in memory.
private final class KeepingSink: IndexSink {
    var values: [[UInt8]] = []
    var segments: [[UInt8]] = []
    var inverse: [[UInt8]] = []

    func writePages(_ number: Int, _ bytes: [UInt8]) { values.append(bytes) }
    func writeSegment(_ number: Int, _ bytes: [UInt8]) { segments.append(bytes) }
    func writeInverse(_ number: Int, _ bytes: [UInt8]) { inverse.append(bytes) }

    func spill(_ bytes: ByteView) throws -> UInt64 {
        throw DAGStoreError(.quotaExceeded, "the benchmark does not spill")
    }

    func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {}
}
