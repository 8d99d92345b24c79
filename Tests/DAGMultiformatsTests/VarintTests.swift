import DAGBytes
import DAGMultiformats
import Testing

private func encoded(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    Varint.append(value, to: &bytes)
    return bytes
}

@Suite("Varint")
struct VarintTests {
    @Test(
        "a value has its one encoding",
        arguments: [
            (0, [0x00]),
            (1, [0x01]),
            (0x7f, [0x7f]),
            (0x80, [0x80, 0x01]),
            (0xff, [0xff, 0x01]),
            (300, [0xac, 0x02]),
            (0x3fff, [0xff, 0x7f]),
            (0x4000, [0x80, 0x80, 0x01]),
            (0xb220, [0xa0, 0xe4, 0x02]),
            (1 << 56 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            (1 << 56, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
            (1 << 63 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ] as [(UInt64, [UInt8])]
    )
    func oneEncoding(value: UInt64, bytes: [UInt8]) {
        #expect(encoded(value) == bytes)
        #expect(Varint.size(of: value) == bytes.count)
        let decoded = bytes.withView { Varint.decode($0, at: 0) }
        #expect(decoded == Varint.Decoded(value: value, size: bytes.count))
    }

    @Test("values around every power of two survive the round trip, wherever they stand")
    func roundTrips() throws {
        for bit in 0..<63 {
            for value in [1 << bit - 1, 1 << bit, 1 << bit + 1] as [UInt64] where value < 1 << 63 {
                let bytes = encoded(value)
                #expect(bytes.count == Varint.size(of: value))
                let framed: [UInt8] = [0xff, 0xff] + bytes + [0xff]
                var offset = 2
                let read = try framed.withView { view throws(MultiformatsError) in
                    try Varint.read(view, at: &offset)
                }
                #expect(read == value)
                #expect(offset == 2 + bytes.count)
            }
        }
    }

    @Test(
        "a bad varint is refused and the offset stays",
        arguments: [
            ([], .truncated),
            ([0x80], .truncated),
            (Array(repeating: 0x80, count: 8), .truncated),
            ([0x80, 0x00], .malformedVarint),
            ([0xff, 0x80, 0x00], .malformedVarint),
            (Array(repeating: 0x80, count: 8) + [0x00], .malformedVarint),
            (Array(repeating: 0x80, count: 9), .malformedVarint),
            (Array(repeating: 0x80, count: 9) + [0x01], .malformedVarint),
            (Array(repeating: 0xff, count: 20), .malformedVarint),
        ] as [([UInt8], MultiformatsError.Code)]
    )
    func refuses(bytes: [UInt8], code: MultiformatsError.Code) {
        let framed: [UInt8] = [0x05] + bytes
        var offset = 1
        let error = #expect(throws: MultiformatsError(code, at: 1)) {
            try framed.withView { view throws(MultiformatsError) in
                try Varint.read(view, at: &offset)
            }
        }
        #expect(error?.offset == 1)
        #expect(offset == 1)
    }

    @Test("every encoding of up to two bytes is read if it is the one that is written")
    func exhaustive() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                let decoded = bytes.withView { Varint.decode($0, at: 0) }
                if decoded.size > 0 {
                    #expect(encoded(decoded.value) == Array(bytes[..<decoded.size]))
                } else {
                    let expected = second == 0 ? Varint.Decoded.malformed : Varint.Decoded.truncated
                    #expect(decoded.size == expected)
                    #expect(first >= 0x80)
                }
            }
        }
    }

    @Test("a value of 64 bits is the caller's bug")
    func tooLargeTraps() async {
        await #expect(processExitsWith: .failure) {
            var bytes: [UInt8] = []
            Varint.append(1 << 63, to: &bytes)
        }
    }

    @Test("an offset past the end is the caller's bug")
    func offsetPastTheEndTraps() async {
        await #expect(processExitsWith: .failure) {
            var offset = 2
            _ = try [1].withView { view throws(MultiformatsError) in
                try Varint.read(view, at: &offset)
            }
        }
    }
}
