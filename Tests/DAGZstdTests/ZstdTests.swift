import DAGBytes
import DAGZstd
import Foundation
import Synchronization
import Testing

@Suite("Zstd")
struct ZstdTests {
    /// Contents of many shapes, by name.
    static let contents: [(name: String, bytes: [UInt8])] = [
        ("empty", []),
        ("one byte", [0x5a]),
        ("text", Array(String(repeating: "block after block, ", count: 70).utf8)),
        ("1 MiB random", random(1 << 20, seed: 1)),
        ("1 MiB zeros", Array(repeating: 0, count: 1 << 20)),
        ("128 KiB and one zeros", Array(repeating: 0, count: 128 << 10 + 1)),
    ]

    /// Bytes that are the same in every run, by SplitMix64.
    static func random(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return UInt8(truncatingIfNeeded: mixed ^ (mixed >> 31))
        }
    }

    private static func compress(_ bytes: [UInt8], level: Int32 = Zstd.levelDefault) -> [UInt8] {
        bytes.withView { Zstd.compress($0, level: level) }
    }

    private static func decompress(
        _ frame: [UInt8],
        size: Int
    ) throws(ZstdError) -> [UInt8] {
        try frame.withView { (frame) throws(ZstdError) in try Zstd.decompress(frame, size: size) }
    }

    @Test(
        "decompression returns the compressed bytes",
        arguments: contents.indices,
        [-5, 1, 3, 19] as [Int32]
    )
    func roundTrips(index: Int, level: Int32) throws {
        let bytes = Self.contents[index].bytes
        let frame = Self.compress(bytes, level: level)
        #expect(try Self.decompress(frame, size: bytes.count) == bytes)
    }

    @Test("a frame has 6 bytes of header and states no size")
    func frameHeader() {
        // Magic number, descriptor 0 (no size, no checksum, no dictionary), window, then an empty block.
        #expect(Self.compress([]).prefix(5) == [0x28, 0xb5, 0x2f, 0xfd, 0x00])
        #expect(Self.compress([]).count == 9)
    }

    @Test("a frame is appended to earlier bytes")
    func appends() throws {
        let bytes = Self.contents[2].bytes
        var output: [UInt8] = [1, 2, 3]
        bytes.withView { Zstd.compress($0, into: &output) }
        #expect(output.prefix(3) == [1, 2, 3])
        #expect(Array(output.dropFirst(3)) == Self.compress(bytes))
    }

    @Test("a frame is decompressed into a larger buffer, not into a smaller one")
    func decompressesIntoBuffer() throws {
        let bytes = Self.contents[2].bytes
        let frame = Self.compress(bytes)
        var output = [UInt8](repeating: 0xff, count: bytes.count + 10)
        let count = try unsafe output.withUnsafeMutableBytes { buffer in
            try frame.withView { try unsafe Zstd.decompress($0, into: buffer) }
        }
        #expect(count == bytes.count)
        #expect(output == bytes + Array(repeating: 0xff, count: 10))
        #expect(throws: ZstdError(.sizeMismatch)) {
            try unsafe output.withUnsafeMutableBytes { buffer in
                let small = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(5))
                return try frame.withView { try unsafe Zstd.decompress($0, into: small) }
            }
        }
    }

    @Test(
        "a wrong size is refused, too large or too small",
        arguments: contents.indices,
        [-1, 1, 1 << 45]
    )
    func refusesWrongSize(index: Int, difference: Int) {
        let bytes = Self.contents[index].bytes
        let size = bytes.count + difference
        guard size >= 0 else { return }
        let frame = Self.compress(bytes)
        #expect(throws: ZstdError(.sizeMismatch)) { try Self.decompress(frame, size: size) }
    }

    // From the zstd program: it states its content size of 3, "abc", and carries a checksum.
    @Test("a frame that states its size is held to it")
    func statedSize() throws {
        let frame: [UInt8] = [
            0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x03, 0x19, 0x00, 0x00, 0x61, 0x62, 0x63,
        ]
        #expect(try Self.decompress(frame, size: 3) == Array("abc".utf8))
        #expect(throws: ZstdError(.sizeMismatch)) { try Self.decompress(frame, size: 4) }
    }

    @Test("a frame cut anywhere is truncated")
    func refusesTruncation() {
        let bytes = Self.contents[2].bytes
        let frame = Self.compress(bytes)
        for count in 0..<frame.count {
            #expect(throws: ZstdError(.truncated)) {
                try Self.decompress(Array(frame.prefix(count)), size: bytes.count)
            }
        }
    }

    @Test("garbage is refused, before a frame, after it and inside it")
    func refusesGarbage() {
        let bytes = Self.contents[2].bytes
        let frame = Self.compress(bytes)
        for garbage in [
            Self.random(100, seed: 2), [1, 0, 0, 0] + frame, frame + [0], frame + frame,
        ] {
            #expect(throws: ZstdError(.corrupted)) {
                try Self.decompress(garbage, size: bytes.count)
            }
        }
        // Without a checksum a flipped bit may go unseen, but never past the size and never as a trap.
        for position in frame.indices {
            for bit in 0..<8 {
                var flipped = frame
                flipped[position] ^= 1 << bit
                let content = try? Self.decompress(flipped, size: bytes.count)
                #expect(content == nil || content?.count == bytes.count)
            }
        }
    }

    @Test("a failure leaves the pooled context good for the next call")
    func contextsSurviveFailures() throws {
        let bytes = Self.contents[2].bytes
        let frame = Self.compress(bytes)
        for _ in 0..<20 {
            _ = try? Self.decompress(Array(frame.dropLast(4)) + [1, 2, 3, 4], size: bytes.count)
            #expect(try Self.decompress(frame, size: bytes.count) == bytes)
        }
    }

    @Test("8 threads compress and decompress at once")
    func worksConcurrently() {
        let failures = Mutex(0)
        let group = DispatchGroup()
        for thread in 0..<8 {
            group.enter()
            Thread.detachNewThread {
                for round in 0..<200 {
                    let seed = UInt64(thread * 1_000 + round)
                    let bytes =
                        Self.random(round * 7, seed: seed) + Array(repeating: 0, count: round)
                    let content = try? Self.decompress(Self.compress(bytes), size: bytes.count)
                    if content != bytes { failures.withLock { $0 += 1 } }
                }
                group.leave()
            }
        }
        group.wait()
        #expect(failures.withLock { $0 } == 0)
    }
}
