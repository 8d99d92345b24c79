import DAGBytes
import DAGCAR
import DAGMultiformats
import TestSupport
import Testing

@Suite("CAR header")
struct CARHeaderTests {
    static let empty: [UInt8] = [0x11, 0xa2, 0x65] + Array("roots".utf8) + [0x80] + versionOne
    static let versionOne: [UInt8] = [0x67] + Array("version".utf8) + [1]
    static let identityLink: [UInt8] = [0xd8, 0x2a, 0x45, 0, 1, 0x55, 0, 0]

    /// A header of a map's content, with its length before it.
    static func header(_ map: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Varint.append(UInt64(map.count), to: &bytes)
        return bytes + map
    }

    static func root(_ hashCode: UInt64, codec: UInt64 = Codec.dagCBOR) -> CID {
        CARBuilder.Block.hashed([1, 2, 3], codec: codec, hashCode: hashCode).cid
    }

    static let nothing = CARBuilder.Block.identity([]).cid

    @Test("a header without roots has the bytes that everybody writes")
    func bytesWithoutRoots() throws {
        #expect(CARHeader.encoded(roots: []) == Self.empty)
        let header = try CARHeader(bytes: Self.empty)
        #expect(header.version == 1)
        #expect(header.roots == [])
        #expect(header.size == 18)
    }

    @Test(
        "a header with one root has its usual size",
        arguments: [
            (CARBuilder.Block.versionZero([1]).cid, 57),
            (root(HashCode.sha2_256), 59),
            (root(HashCode.blake2b_256), 61),
        ]
    )
    func usualSizes(root: CID, size: Int) throws {
        let bytes = CARHeader.encoded(roots: [root])
        #expect(bytes.count == size)
        #expect(try CARHeader(bytes: bytes).size == UInt64(size))
    }

    @Test(
        "as many roots come back as were written, in their order",
        arguments: [0, 1, 2, 23, 24, 255, 256, 300]
    )
    func rootsComeBack(count: Int) throws {
        var generator = SplitMix64(seed: UInt64(count))
        let roots = (0..<count).map { _ in CARBuilder.Block.identity(generator.bytes(3)).cid }
        let header = try CARHeader(bytes: CARHeader.encoded(roots: roots))
        #expect(header.roots == roots)
    }

    @Test(
        "a root of any size comes back",
        arguments: [0, 17, 18, 250, 251, 65_529, 65_530, 70_000]
    )
    func largeRoots(size: Int) throws {
        let root = CARBuilder.Block.identity([UInt8](repeating: 7, count: size)).cid
        let bytes = CARHeader.encoded(roots: [root])
        let header = try CARHeader(bytes: bytes + [0xff])
        #expect(header.roots == [root])
        #expect(header.size == UInt64(bytes.count))
    }

    @Test("roots may repeat, be of either version, and name nothing")
    func unusualRoots() throws {
        let zero = CARBuilder.Block.versionZero([5]).cid
        let roots = [Self.nothing, zero, Self.root(HashCode.sha2_512), zero, Self.nothing]
        #expect(try CARHeader(bytes: CARHeader.encoded(roots: roots)).roots == roots)
    }

    // Headers that go-car reads, although no writer should write them; FORMATS has the list.
    @Test(
        "every header that go-car reads is read",
        arguments: [
            ("keys in the other order", [0xa2] + versionOne + [0x65] + "roots".utf8 + [0x80], []),
            ("no roots key", [0xa1] + versionOne, []),
            ("null roots", [0xa2, 0x65] + "roots".utf8 + [0xf6] + versionOne, []),
            (
                "another tag on a root",
                [0xa2, 0x65] + "roots".utf8 + [0x81, 0xd8, 0x30] + identityLink.dropFirst(2)
                    + versionOne,
                [nothing]
            ),
            (
                "bytes after the map",
                [0xa2, 0x65] + "roots".utf8 + [0x81] + identityLink + versionOne + [0xff, 0, 1],
                [nothing]
            ),
        ] as [(String, [UInt8], [CID])]
    )
    func leniency(name: String, map: [UInt8], roots: [CID]) throws {
        let bytes = Self.header(map)
        let header = try CARHeader(bytes: bytes)
        #expect(header.version == 1)
        #expect(header.roots == roots, "\(name)")
        #expect(header.size == UInt64(bytes.count))
    }

    @Test("the pragma of a CARv2 is a header of version 2")
    func pragma() throws {
        let header = try CARHeader(bytes: CARLayout.pragma)
        #expect(header.version == 2)
        #expect(header.roots == [])
        #expect(header.size == 11)
    }

    @Test("bytes after the header do not matter")
    func bytesAfter() throws {
        let header = try CARHeader(bytes: Self.empty + [0xff, 0xff])
        #expect(header == (try CARHeader(bytes: Self.empty)))
    }

    @Test("the largest header is as large as the limit")
    func limit() throws {
        let exact = CARLimits(headerSizeMax: 17)
        #expect(try CARHeader(bytes: Self.empty, limits: exact).size == 18)
        expectError(.limitExceeded, at: 0) {
            _ = try CARHeader(bytes: Self.empty, limits: CARLimits(headerSizeMax: 16))
        }
        // The limit is checked before the bytes are looked for.
        expectError(.limitExceeded, at: 0) { _ = try CARHeader(bytes: [0x81, 0x80, 0x80, 0x10]) }
        expectError(.truncated, at: 0) { _ = try CARHeader(bytes: [0x80, 0x80, 0x80, 0x10]) }
    }

    @Test("a header cut anywhere is truncated")
    func truncation() {
        let roots = [Self.root(HashCode.sha2_256), Self.nothing]
        let bytes = CARHeader.encoded(roots: roots)
        for size in bytes.indices {
            expectError(.truncated, at: 0) { _ = try CARHeader(bytes: Array(bytes[..<size])) }
        }
    }

    @Test("an error stands where the header stands in its file")
    func base() {
        expectError(.truncated, at: 51) { _ = try CARHeader(bytes: [], base: 51) }
        expectError(.malformedHeader, at: 52) { _ = try CARHeader(bytes: [1, 1], base: 51) }
        expectError(.unsupportedVersion, at: 52) { _ = try CARHeader(bytes: [1, 0xa0], base: 51) }
    }

    @Test("no byte of a header can be changed into a trap")
    func everyByteReplaced() {
        let bytes = CARHeader.encoded(roots: [Self.root(HashCode.sha2_256), Self.nothing])
        for index in bytes.indices {
            for value in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = value
                do throws(CARError) {
                    let header = try CARHeader(bytes: changed)
                    #expect(header.size <= UInt64(changed.count))
                } catch {
                    #expect(error.offset <= UInt64(changed.count), "\(error)")
                }
            }
        }
    }
}
