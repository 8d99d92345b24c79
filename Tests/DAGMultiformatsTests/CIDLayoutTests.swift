import DAGBytes
import DAGMultiformats
import TestSupport
import Testing

/// Reads the layout slowly, one varint after the other, as the specification does.
private func specifiedLayout(_ bytes: [UInt8]) -> Result<CIDLayout, CIDFault> {
    // The first byte alone does not say whether a version 0 CID follows.
    if bytes == [0x12] { return .failure(CIDFault(.truncated(needed: nil))) }
    if bytes.starts(with: [0x12, 0x20]) {
        return bytes.count >= 34
            ? .success(.versionZero) : .failure(CIDFault(.truncated(needed: 34)))
    }
    var values: [UInt64] = []
    var sizes: [Int] = []
    for _ in 0..<4 {
        let decoded = bytes.withView { Varint.decode($0, at: sizes.reduce(0, +)) }
        switch decoded.size {
        case Varint.Decoded.truncated: return .failure(CIDFault(.truncated(needed: nil)))
        case Varint.Decoded.malformed: return .failure(CIDFault(.malformedVarint))
        default: break
        }
        values.append(decoded.value)
        sizes.append(decoded.size)
        guard values[0] == 1 else { return .failure(CIDFault(.unsupportedVersion)) }
    }
    guard values[3] <= UInt64(CID.digestSizeMax) else { return .failure(CIDFault(.limitExceeded)) }
    let layout = CIDLayout(
        version: 1,
        codec: values[1],
        hashCode: values[2],
        digestSize: Int(values[3]),
        multihashOffset: sizes[0] + sizes[1],
        digestOffset: sizes.reduce(0, +)
    )
    guard layout.size <= bytes.count else {
        return .failure(CIDFault(.truncated(needed: layout.size)))
    }
    return .success(layout)
}

private func decodedLayout(_ bytes: [UInt8]) -> Result<CIDLayout, CIDFault> {
    bytes.withView { CIDLayout.decode($0) }
}

/// A CID of random parts, which prefers the sizes that change the layout.
private func someCID(using random: inout SplitMix64) -> CID {
    let numbers: [UInt64] = [
        0, 0x12, 0x55, 0x70, 0x7f, 0x80, 0x0129, 0xb220, 0x3fff, 0x4000, 1 << 62,
    ]
    let sizes = [0, 1, 19, 20, 28, 29, 30, 31, 32, 33, 48, 64, 127, 128, 300]
    let multihash = Multihash(
        code: numbers.randomElement(using: &random) ?? 0,
        digest: random.bytes(sizes.randomElement(using: &random) ?? 0)
    )
    return CID(codec: numbers.randomElement(using: &random) ?? 0, multihash: multihash)
}

@Suite("CID layout")
struct CIDLayoutTests {
    @Test("the fast path and the slow one agree over CIDs, and over every truncation of them")
    func truncations() {
        var random = SplitMix64(seed: 1)
        var examples = (0..<200).map { _ in someCID(using: &random).bytes }
        examples.append([0x12, 0x20] + random.bytes(32))
        for bytes in examples {
            for size in 0...bytes.count {
                let head = Array(bytes[..<size])
                #expect(decodedLayout(head) == specifiedLayout(head), "\(bytes), size \(size)")
            }
            let longer = bytes + random.bytes(10)
            #expect(decodedLayout(longer) == decodedLayout(bytes), "\(bytes)")
        }
    }

    @Test("the fast path and the slow one agree over CIDs with a byte changed")
    func mutations() {
        var random = SplitMix64(seed: 2)
        for round in 0..<20_000 {
            var bytes = someCID(using: &random).bytes
            let place = Int.random(in: 0..<min(bytes.count, 8), using: &random)
            bytes[place] = UInt8.random(in: 0...255, using: &random)
            #expect(decodedLayout(bytes) == specifiedLayout(bytes), "round \(round): \(bytes)")
        }
    }

    @Test("the fast path and the slow one agree over noise")
    func noise() {
        var random = SplitMix64(seed: 3)
        for round in 0..<20_000 {
            let bytes = random.bytes(Int.random(in: 0...80, using: &random))
            #expect(decodedLayout(bytes) == specifiedLayout(bytes), "round \(round): \(bytes)")
        }
    }

    @Test("every head of four bytes whose last is a plain size agrees")
    func exhaustiveHeads() {
        var bytes = [UInt8](repeating: 0xaa, count: 40)
        for first in [0x00, 0x01, 0x02, 0x12, 0x81] as [UInt8] {
            for second in UInt8.min...UInt8.max {
                for rest in [[0x12, 0x20], [0x00, 0x24], [0x12, 0x25], [0x80, 0x01]] as [[UInt8]] {
                    bytes.replaceSubrange(0..<4, with: [first, second] + rest)
                    #expect(decodedLayout(bytes) == specifiedLayout(bytes), "\(bytes[..<4])")
                }
            }
        }
    }

    @Test("a truncation names the size that is needed, once it is known")
    func neededSize() {
        #expect(decodedLayout([]) == .failure(CIDFault(.truncated(needed: nil))))
        #expect(decodedLayout([0x12]) != .failure(CIDFault(.truncated(needed: 34))))
        #expect(decodedLayout([0x12, 0x20]) == .failure(CIDFault(.truncated(needed: 34))))
        #expect(decodedLayout([1, 0x55, 0x12]) == .failure(CIDFault(.truncated(needed: nil))))
        #expect(decodedLayout([1, 0x55, 0x12, 0x20]) == .failure(CIDFault(.truncated(needed: 36))))
        // 01, raw, blake2b-256 in three bytes, 32: the digest starts at 6.
        let blake: [UInt8] = [1, 0x55, 0xa0, 0xe4, 0x02, 0x20] + Array(repeating: 0, count: 31)
        #expect(decodedLayout(blake) == .failure(CIDFault(.truncated(needed: 38))))
    }

    @Test("a digest above the limit is refused before its bytes are asked for")
    func digestLimit() {
        var bytes: [UInt8] = [1, 0x55, 0x00]
        Varint.append(UInt64(CID.digestSizeMax), to: &bytes)
        let needed = bytes.count + CID.digestSizeMax
        #expect(decodedLayout(bytes) == .failure(CIDFault(.truncated(needed: needed))))
        bytes = [1, 0x55, 0x00]
        Varint.append(UInt64(CID.digestSizeMax) + 1, to: &bytes)
        #expect(decodedLayout(bytes) == .failure(CIDFault(.limitExceeded)))
    }
}
