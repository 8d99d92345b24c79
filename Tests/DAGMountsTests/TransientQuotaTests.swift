import DAGMounts
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("The quota of transients")
struct TransientQuotaTests {
    static func options(_ quota: UInt64) -> TransientStore.Options {
        .init(quota: quota, highWatermark: 0.9, lowWatermark: 0.5, isDurable: false)
    }

    static func bytes(_ size: Int) -> [UInt8] { .init(repeating: 1, count: size) }

    @Test(
        "above the high watermark the least recently used transients are evicted, down to the low one"
    )
    func watermarks() async throws {
        let scene = try TransientScene(Self.options(100))
        for number in 1...4 as ClosedRange<UInt32> {
            try await scene.fetch(.init(number), Self.bytes(22))
        }
        #expect(scene.store.usage == .init(files: 4, bytes: 88))
        _ = scene.store.find(.init(1))
        // 88 + 3 is above 90; 2 and 3 go, because 44 + 3 is below 50.
        try await scene.fetch(.init(5), Self.bytes(3))
        let left = (1...5).filter { scene.store.find(.init($0)) != nil }
        #expect(left == [1, 4, 5])
        #expect(scene.bytesOnDisk == 47)
    }

    @Test("up to the high watermark no transient is evicted")
    func below() async throws {
        let scene = try TransientScene(Self.options(100))
        for number in 1...9 as ClosedRange<UInt32> {
            try await scene.fetch(.init(number), Self.bytes(10))
        }
        #expect(scene.store.usage == .init(files: 9, bytes: 90))
    }

    @Test("a fetch that does not fit is refused, and evicts nothing")
    func refused() async throws {
        let scene = try TransientScene(Self.options(100))
        let first = try await scene.fetch(.init(1), Self.bytes(60))
        try await scene.fetch(.init(2), Self.bytes(20))
        let pin = scene.store.pin(first)
        for size in [41, 101, UInt64.max] {
            let source = MemorySequentialSource(Self.bytes(41))
            await #expect(throws: MountError(.quota, "")) {
                try await scene.store.fetch(.init(3), expectedSize: size, from: source)
            }
        }
        #expect(scene.store.usage == .init(files: 2, bytes: 80))
        // With all that may go gone it fits exactly.
        try await scene.fetch(.init(3), Self.bytes(40))
        #expect(scene.store.usage == .init(files: 2, bytes: 100))
        #expect(pin.isHeld)
    }

    @Test("without a quota a size that no disk has is refused, and does not trap")
    func absurd() async throws {
        let scene = try TransientScene()
        let source = MemorySequentialSource([1])
        await #expect(throws: MountError(.quota, "")) {
            try await scene.store.fetch(.init(1), expectedSize: .max, from: source)
        }
        #expect(scene.store.usage == .init())
    }

    @Test("an unknown size is reserved in steps, and near the quota piece by piece")
    func unknownSize() async throws {
        let mebibyte = 1 << 20
        let scene = try TransientScene(Self.options(UInt64(3 * mebibyte)))
        let fits = MemorySequentialSource(Self.bytes(3 * mebibyte))
        let fetched = try await scene.store.fetch(.init(1), expectedSize: nil, from: fits)
        #expect(scene.store.usage == .init(files: 1, bytes: UInt64(3 * mebibyte)))
        let next = MemorySequentialSource(Self.bytes(1))
        await #expect(throws: MountError(.quota, "")) {
            try await scene.store.fetch(.init(2), expectedSize: nil, from: next)
        }
        #expect(fetched.pin.isHeld)
        let large = try TransientScene(Self.options(UInt64(2 * mebibyte)))
        await #expect(throws: MountError(.quota, "")) {
            let source = MemorySequentialSource(Self.bytes(2 * mebibyte + 1))
            return try await large.store.fetch(.init(1), expectedSize: nil, from: source)
        }
        #expect(large.files == [])
        #expect(large.store.usage == .init())
    }

    @Test("a reservation counts for other fetches until it is dropped", .timeLimit(.minutes(10)))
    func reservation() async throws {
        let scene = try TransientScene(Self.options(100))
        let gate = Gate()
        let slow = MemorySequentialSource(Self.bytes(70)) { size in
            guard size == 0 else { return }
            try await gate.pass(heedingCancellation: true)
        }
        let task = OwnedTask {
            try await scene.store.fetch(.init(1), expectedSize: 70, from: slow)
        }
        await gate.waitForArrivals(1)
        #expect(scene.store.usage == .init(reserved: 70))
        await #expect(throws: MountError(.quota, "")) {
            try await scene.fetch(.init(2), Self.bytes(31))
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await scene.fetch(.init(2), Self.bytes(31))
        #expect(scene.store.usage == .init(files: 1, bytes: 31))
    }

    /// The model's state of a pinned transient.
    struct Held {
        let transient: Transient
        let pin: TransientPin
        let bytes: [UInt8]
    }

    @Test(
        "under random use the disk never exceeds the quota, and no pinned transient is evicted",
        arguments: 1...4
    )
    func model(seed: UInt64) async throws {
        let quota: UInt64 = 1000
        var random = SplitMix64(seed: seed)
        let scene = try TransientScene(Self.options(quota))
        var held: [Held] = []
        var refusals = 0
        for step in 0..<600 {
            let name = TransientName(.random(in: 0..<30, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bytes = random.bytes(.random(in: 0...300, using: &random))
                // Half of the sources give one byte less than they said.
                let isShort = Bool.random(using: &random) && !bytes.isEmpty
                let isPinned = held.contains { $0.transient.name == name }
                guard !isPinned else { continue }
                do {
                    let source = MemorySequentialSource(isShort ? Array(bytes.dropLast()) : bytes)
                    let fetched = try await scene.store.fetch(
                        name,
                        expectedSize: UInt64(bytes.count),
                        from: source
                    )
                    #expect(!isShort)
                    held.append(Held(transient: fetched.transient, pin: fetched.pin, bytes: bytes))
                } catch let error as MountError {
                    #expect(error.code == .quota || isShort)
                    refusals += 1
                }
            case 5..<8:
                guard !held.isEmpty else { continue }
                held.remove(at: .random(in: 0..<held.count, using: &random))
            case 8:
                guard let transient = scene.store.find(name) else { continue }
                let pin = scene.store.pin(transient)
                #expect(pin.isHeld)
                held.append(Held(transient: transient, pin: pin, bytes: try transient.content()))
            default:
                let goal = UInt64.random(in: 0...quota, using: &random)
                _ = scene.store.collect(downTo: goal) { _ in false }
            }
            let usage = scene.store.usage
            #expect(usage.reserved == 0, "seed \(seed), step \(step)")
            #expect(usage.bytes == scene.bytesOnDisk, "seed \(seed), step \(step)")
            #expect(usage.bytes <= quota, "seed \(seed), step \(step)")
            for one in held {
                #expect(try one.transient.content() == one.bytes, "seed \(seed), step \(step)")
            }
        }
        #expect(refusals > 0)
    }

    @Test("fetches at once never pass the quota together", arguments: 1...4)
    func concurrent(seed: UInt64) async throws {
        let quota: UInt64 = 1000
        let scene = try TransientScene(Self.options(quota))
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<60 as Range<UInt32> {
                group.addTask {
                    var random = SplitMix64(seed: seed &* 1000 &+ UInt64(number))
                    let bytes = random.bytes(.random(in: 1...400, using: &random))
                    let source = MemorySequentialSource(bytes, pieceSizeMax: 50) { _ in
                        let usage = scene.store.usage
                        #expect(usage.bytes + usage.reserved <= quota)
                        await Task.yield()
                    }
                    do {
                        let fetched = try await scene.store.fetch(
                            TransientName(number),
                            expectedSize: UInt64(bytes.count),
                            from: source
                        )
                        return try fetched.transient.content() == bytes
                    } catch {
                        #expect(error as? MountError == MountError(.quota, ""))
                        return false
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(true))
        let usage = scene.store.usage
        #expect(usage.reserved == 0)
        #expect(usage.bytes == scene.bytesOnDisk)
        #expect(usage.bytes <= quota)
    }
}
