import DAGBytes
import DAGCAR
import DAGMultiformats
import TestSupport
import Testing

@testable import RemoteMounts

@Suite("Scan plan")
struct ScanPlanTests {
    /// Sizes of sections, as CARs have them.
    enum Shape: String, CaseIterable {
        case equal, million, middle, small, files, random, smallThenLarge, largeThenSmall, mixed

        var sizes: [UInt64] {
            var generator = SplitMix64(seed: 40)
            let block: UInt64 = 262_184
            func small(_ count: Int) -> [UInt64] { [UInt64](repeating: 296, count: count) }
            func large(_ count: Int) -> [UInt64] { [UInt64](repeating: block, count: count) }
            switch self {
            case .equal: return large(2048)
            case .million: return [UInt64](repeating: 1_048_616, count: 512)
            case .middle: return [UInt64](repeating: 40_000, count: 4000)
            case .small: return small(100_000)
            // Leaves, the node above them, and the odd end of a file now and then.
            case .files:
                return (0..<12).flatMap { file -> [UInt64] in
                    let end = UInt64.random(in: 100..<block, using: &generator)
                    return large(174) + [end, 9000 + UInt64(file)]
                }
            case .random:
                return (0..<2000).map { _ in .random(in: 100_000...500_000, using: &generator) }
            case .smallThenLarge: return small(100_000) + large(1024)
            case .largeThenSmall: return large(1024) + small(100_000)
            case .mixed: return (0..<10).flatMap { _ in small(5000) + large(100) }
            }
        }
    }

    @Test(
        "the way that is chosen takes at most 1.2 times as long as the faster of the two",
        arguments: Shape.allCases,
        [1e6, 1e7, 1e8, 1e9]
    )
    func fasterWay(shape: Shape, bandwidth: Double) {
        for roundTrip in [0.001, 0.03, 0.1] {
            let server = ScanMeasures(roundTrip: roundTrip, bandwidth: bandwidth)
            let simulation = ScanSimulation(shape.sizes, server)
            let chosen = simulation.run()
            let ranges =
                shape == .small ? .infinity : simulation.run(fixed: .rangesOnly).seconds
            let best = min(simulation.streamSeconds, ranges)
            // Some round trips go by until anything is known.
            #expect(
                chosen.seconds <= 1.2 * best + 10 * roundTrip,
                "\(roundTrip) s: \(chosen), stream \(simulation.streamSeconds) s, ranges \(ranges) s"
            )
        }
    }

    @Test("equal large blocks cost a small request each, and small blocks one request in all")
    func counts() {
        let server = ScanMeasures(roundTrip: 0.03, bandwidth: 1e7)
        let large = ScanSimulation(Shape.equal.sizes, server).run()
        #expect(large.ways == [.ranges])
        #expect(large.requests < 2048 + 20)
        #expect(large.bytes < 2048 * 262_184 / 100)
        // All places but the first few are guessed, so eight headers come in a round trip.
        #expect(large.seconds < 0.03 * (2048 / 8 + 20))
        let small = ScanSimulation(Shape.small.sizes, server).run()
        #expect(small.ways == [.stream])
        #expect(small.requests == 1)
        #expect(small.bytes < 100_000 * 296 + 59)
    }

    @Test("where the bandwidth is high enough, large blocks are streamed too")
    func fastLine() {
        let server = ScanMeasures(roundTrip: 0.1, bandwidth: 1e9)
        let outcome = ScanSimulation(Shape.equal.sizes, server).run()
        #expect(outcome.ways == [.ranges, .stream])
        #expect(outcome.requests < 60)
    }

    @Test("the way changes with the size of sections")
    func changes() {
        let server = ScanMeasures(roundTrip: 0.03, bandwidth: 1e7)
        let one = ScanSimulation(Shape.smallThenLarge.sizes, server).run()
        #expect(one.ways == [.stream, .ranges])
        #expect(one.bytes < 100_000 * 296 + 1024 * 262_184 / 20)
        let other = ScanSimulation(Shape.largeThenSmall.sizes, server).run()
        #expect(other.ways == [.ranges, .stream])
        #expect(other.requests < 1024 + 100)
    }

    @Test("files of many blocks and their nodes cost few round trips more than equal blocks")
    func files() {
        let server = ScanMeasures(roundTrip: 0.03, bandwidth: 1e7)
        let outcome = ScanSimulation(Shape.files.sizes, server).run()
        let sections = Shape.files.sizes.count
        #expect(outcome.ways == [.ranges])
        #expect(outcome.requests < sections * 5 / 4)
        #expect(outcome.seconds < 0.03 * Double(sections) / 4)
    }

    @Test("an index that is there makes random sizes as fast as equal ones")
    func hints() {
        let server = ScanMeasures(roundTrip: 0.03, bandwidth: 1e6)
        let simulation = ScanSimulation(Shape.random.sizes, server)
        let without = simulation.run()
        let with = simulation.run(hints: true)
        #expect(without.ways == [.ranges] && with.ways == [.ranges])
        // Eight at a time, and some bytes besides.
        let most = 0.03 * Double(2000 / 8 + 20) + 2
        #expect(with.seconds < most)
        #expect(4 * with.seconds < without.seconds)
        #expect(with.requests < 2010)
    }

    @Test(
        "no request that fails leaves the walk waiting, whether it is the only one or the first of many",
        arguments: Shape.allCases.filter { $0 != .small }
    )
    func failures(shape: Shape) {
        Self.checkFailures(Array(shape.sizes.suffix(400)))
    }

    @Test("a guess that fails does not leave the walk waiting in the middle of its window")
    func failuresInside() {
        var generator = SplitMix64(seed: 41)
        for _ in 0..<4 {
            let sizes = (0..<100).map { _ in 50_000 + UInt64.random(in: 0...400, using: &generator)
            }
            Self.checkFailures(sizes)
        }
    }

    /// Fails the first requests of a scan, one of them or all from one on.
    private static func checkFailures(_ sizes: [UInt64]) {
        let server = ScanMeasures(roundTrip: 0.03, bandwidth: 1e7)
        let simulation = ScanSimulation(sizes, server)
        let requests = simulation.run(fixed: .rangesOnly).requests
        for number in 0..<min(requests, 60) {
            for hints in [false, true] {
                let one = simulation.run(fixed: .rangesOnly, hints: hints) { $0 == number }
                #expect(one.end != .hung, "request \(number)")
                let all = simulation.run(fixed: .rangesOnly, hints: hints) { $0 >= number }
                // A guess that no section confirms may be the only request that fails.
                #expect(all.end == .failed || all.requests <= number + 1, "request \(number)")
            }
        }
    }

    @Test("guesses follow runs, odd sizes between them, and short patterns")
    func forecast() {
        var forecast = SectionForecast()
        #expect(forecast.next(after: 5) == nil)
        var right = 0
        let sizes = [UInt64](repeating: 100, count: 20) + [7] + [UInt64](repeating: 100, count: 20)
        for size in sizes {
            if forecast.next(after: forecast.lastDistance) == size { right += 1 }
            forecast.record(size)
        }
        #expect(right == 41 - 2, "all but the first and the odd one")
        right = 0
        var pattern = SectionForecast()
        for index in 0..<300 {
            let size: UInt64 = [10, 20, 30][index % 3]
            if pattern.next(after: pattern.lastDistance) == size { right += 1 }
            pattern.record(size)
        }
        #expect(right >= 295)
    }

    @Test("no sequence of sections makes a request outside the payload", arguments: 0..<40)
    func anything(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        let count = Int.random(in: 1...400, using: &generator)
        let most = [100, 3000, 40_000, 500_000].randomElement(using: &generator) ?? 1
        var usual: UInt64 = 50
        let sizes = (0..<count).map { _ -> UInt64 in
            if Bool.random(using: &generator) {
                usual = .random(in: 40...UInt64(most), using: &generator)
            }
            return usual
        }
        let end = 59 + sizes.reduce(0, +)
        let start = UInt64(59)
        var plan = ScanPlan(payload: 0..<end, start: start, requestsAtOnce: 8)
        var offset = start
        var running: [Range<UInt64>] = []
        for (index, size) in sizes.enumerated() {
            plan.arrive(at: offset, needs: min(64, end - offset), sections: UInt64(index))
            for window in plan.nextRequests() {
                #expect(!window.isEmpty && window.upperBound <= end, "seed \(seed)")
                running.append(window)
            }
            #expect(plan.way == .stream || !plan.windows.isEmpty, "seed \(seed)")
            #expect(plan.running == running.count && running.count <= 9, "seed \(seed)")
            running.shuffle(using: &generator)
            while running.count > Int.random(in: 0...4, using: &generator) {
                let isLost = Int.random(in: 0..<8, using: &generator) == 0
                let window = running.removeLast()
                plan.finish(window, seconds: isLost ? nil : 0.01)
                if isLost { _ = plan.lose(window) }
            }
            offset += size
        }
    }
}

@Suite("Rates")
struct RateMeterTests {
    @Test("the slow start of a connection counts for little")
    func slowStart() throws {
        var meter = RateMeter()
        meter.record(1000, at: 0)
        #expect(meter.bandwidth == nil)
        var time = 0.0
        for _ in 0..<10 {
            time += 0.1
            meter.record(10_000, at: time)
        }
        for _ in 0..<100 {
            time += 0.001
            meter.record(10_000, at: time)
        }
        let bandwidth = try #require(meter.bandwidth)
        #expect(bandwidth > 5e6 && bandwidth < 1.1e7, "\(bandwidth)")
    }
}

@Suite("Section hints")
struct SectionHintsTests {
    private static func offsets(_ bytes: [UInt8], partSize: Int) throws -> [UInt64] {
        var reader = IndexOffsetReader()
        var start = 0
        while start < bytes.count {
            try reader.append(Array(bytes[start..<min(start + partSize, bytes.count)]))
            start += partSize
        }
        #expect(reader.isComplete)
        return reader.offsets.sorted()
    }

    @Test("the offsets of an index come out, in parts of any size", arguments: [1, 7, 40, 4096])
    func reading(partSize: Int) throws {
        let car = CARBuilder.mixed(seed: 3)
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            var builder = CARIndexBuilder(storesIdentity: true)
            for (block, section) in zip(car.blocks, car.sections) {
                block.cid.withDigest {
                    builder.append(
                        hashCode: block.cid.layout.hashCode,
                        digest: $0,
                        offset: section.offset
                    )
                }
            }
            // go-car pads nothing, but a file may be longer than its index.
            let bytes = builder.encoded(codec: codec) + [1, 2, 3]
            let expected = car.sections.map(\.offset)
            // Records wider than any sensible digest end the reading.
            let widest = car.blocks.map { $0.cid.layout.digestSize }.max() ?? 0
            if widest + 8 > Int(IndexOffsetReader.widthMax) {
                #expect(throws: CARError(.limitExceeded, at: 0)) {
                    try Self.offsets(bytes, partSize: partSize)
                }
            } else {
                #expect(try Self.offsets(bytes, partSize: partSize) == expected)
            }
        }
    }

    @Test(
        "a malformed index is refused",
        arguments: [
            [0x82, 0x08, 0, 0, 0, 0],
            [0x80],
            [0x81, 0x08, 0xff, 0xff, 0xff, 0xff],
            [0x80, 0x08, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x80, 0x08, 1, 0, 0, 0, 40, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0],
            [0x80, 0x08, 1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0],
        ] as [[UInt8]]
    )
    func malformed(bytes: [UInt8]) {
        var reader = IndexOffsetReader()
        do {
            try reader.append(bytes)
            #expect(!reader.isComplete)
        } catch {
            #expect([.malformedIndex, .limitExceeded].contains(error.code))
        }
    }

    @Test("hints that are mostly wrong are given up, a few wrong ones are not")
    func wrong() {
        var hints = SectionHints([30, 10, 20])
        #expect(hints.offsets == [10, 20, 30])
        #expect(hints.next(after: 10) == 20)
        #expect(hints.next(after: 30) == nil)
        let outcomes = [Bool](repeating: true, count: 800) + [Bool](repeating: false, count: 100)
        #expect(outcomes.map { hints.confirm($0) }.allSatisfy { $0 })
        var others = SectionHints([1])
        let wrong = (0..<9).map { _ in others.confirm(false) }
        #expect(wrong == [Bool](repeating: true, count: 8) + [false])
    }
}
