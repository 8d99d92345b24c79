import TestSupport
import Testing

@testable import RemoteMounts

@Suite("Read-ahead")
struct ReadAheadTests {
    static let size: UInt64 = 4 << 30

    @Test("a reader that goes on gets windows that double up to their limit, and no byte twice")
    func sequential() {
        var ahead = ReadAhead(size: 100 << 20, sizeMax: 4 << 20)
        var asked: [Range<UInt64>] = []
        var position: UInt64 = 0
        while position < 100 << 20 {
            asked += ahead.ranges(after: position..<position + 262_144)
            position += 262_144
        }
        for (one, next) in zip(asked, asked.dropFirst()) {
            #expect(one.upperBound <= next.lowerBound)
        }
        #expect(asked.first?.count == 16_384)
        #expect(asked.contains { $0.count >= 2 << 20 })
        #expect(asked.allSatisfy { $0.count <= 4 << 20 })
        #expect(asked.last?.upperBound == 100 << 20)
        // Few requests: a window is asked for when half of the last one is read.
        #expect(asked.count < 100)
    }

    @Test("random reads cause no guess")
    func random() {
        var generator = SplitMix64(seed: 1)
        var ahead = ReadAhead(size: Self.size, sizeMax: 4 << 20)
        var guessed = 0
        for _ in 0..<1000 {
            let start = UInt64.random(in: 0..<Self.size - 1024, using: &generator)
            guessed += ahead.ranges(after: start..<start + 1024).reduce(0) { $0 + $1.count }
        }
        // Two neighbors among a thousand places of 4 GiB are rare.
        #expect(guessed <= 2 * 16_384)
    }

    @Test("a reader of headers at equal distances gets its next places, ever more of them")
    func jumps() {
        var ahead = ReadAhead(size: 1 << 30, sizeMax: 4 << 20)
        var known: Set<UInt64> = []
        var misses = 0
        var bytes = 0
        var place: UInt64 = 1_000_000
        while place + 512 < 1 << 30 {
            if !known.contains(place) { misses += 1 }
            for range in ahead.ranges(after: place..<place + 512) {
                #expect(known.insert(range.lowerBound).inserted, "guessed twice")
                #expect(range.count <= 512)
                bytes += range.count
            }
            place += 262_184
        }
        #expect(misses <= 5)
        #expect(bytes <= 4100 * 512)
    }

    @Test("a jump that differs ends the guesses, and they begin again small")
    func otherJump() {
        var ahead = ReadAhead(size: Self.size, sizeMax: 4 << 20)
        for number in 0..<20 as Range<UInt64> {
            _ = ahead.ranges(after: number * 300_000..<number * 300_000 + 512)
        }
        #expect(ahead.ranges(after: 6_100_000..<6_100_512) == [])
        #expect(ahead.ranges(after: 6_500_000..<6_500_512) == [6_900_000..<6_900_512])
        #expect(ahead.ranges(after: 6_900_000..<6_900_512).count == 2)
    }

    @Test("a reader that goes on keeps its window beside random reads")
    func mixed() {
        var generator = SplitMix64(seed: 2)
        var ahead = ReadAhead(size: Self.size, sizeMax: 1 << 20)
        var asked: UInt64 = 0
        for number in 0..<1000 as Range<UInt64> {
            let start = number * 10_000
            for range in ahead.ranges(after: start..<start + 10_000)
            where range.lowerBound < 20 << 20 { asked = max(asked, range.upperBound) }
            if number > 100 { #expect(asked >= start + 10_000 + (128 << 10)) }
            let place = UInt64.random(in: 1 << 30..<Self.size - 512, using: &generator)
            _ = ahead.ranges(after: place..<place + 512)
        }
    }

    @Test("no sequence of reads makes a guess outside the object", arguments: 0..<10)
    func anything(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        let size = UInt64.random(in: 1...10_000_000, using: &generator)
        var ahead = ReadAhead(size: size, sizeMax: 1 << 18)
        var last: UInt64 = 0
        for _ in 0..<500 {
            let step = [0, 1000, 40_000, 300_000].randomElement(using: &generator) ?? 0
            let start =
                Bool.random(using: &generator)
                ? (last + UInt64(step)) % size : UInt64.random(in: 0..<size, using: &generator)
            let end = min(size, start + UInt64.random(in: 1...5000, using: &generator))
            for range in ahead.ranges(after: start..<end) {
                #expect(!range.isEmpty && range.upperBound <= size, "seed \(seed)")
            }
            last = end
        }
    }
}
