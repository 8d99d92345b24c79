import Glibc
import Peers
import Testing

@Suite("Scans of a CAR", .serialized)
struct CARScanTests {
    /// Blocks smaller than, near and larger than a buffer of 4 KiB.
    private static let sizes = [0, 1, 256, 4_050, 4_096, 4_097, 100, 70_000, 3, 1_024, 9_000, 64]
    private static let bufferSizes = [64, 100, 4_096, 1 << 20]

    @Test("every section is read with every buffer size", arguments: bufferSizes)
    func meetsAll(bufferSize: Int) throws {
        let car = TestCAR(blockSizes: Self.sizes)
        try withDirectory { directory in
            let path = try car.write(in: directory)
            let bytes = Self.sizes.reduce(0, +)
            let scan = try CARScan.scan(path: path, bufferSize: bufferSize)
            #expect(scan == (Self.sizes.count, bytes))
            let verified = try CARScan.verify(path: path, bufferSize: bufferSize)
            #expect(verified == (Self.sizes.count, bytes))
            let entries = try CARScan.entries(of: path, bufferSize: bufferSize)
            #expect(entries.map { Int($0.offset) } == car.offsets)
            #expect(entries.map { Int($0.size) } == Self.sizes)
            for (entry, offset) in zip(entries, car.offsets) {
                let section = car.bytes[offset...]
                let varintSize = section.prefix { $0 >= 0x80 }.count + 1
                let digest = section.dropFirst(varintSize + 4).prefix(32)
                #expect(withUnsafeBytes(of: entry.digest) { $0.elementsEqual(digest) })
            }
        }
    }

    @Test("only verify finds a changed byte of a block", arguments: bufferSizes)
    func corruptedBlock(bufferSize: Int) throws {
        let car = TestCAR(blockSizes: Self.sizes)
        try withDirectory { directory in
            for (place, size) in Self.sizes.enumerated() where size > 0 {
                var bytes = car.bytes
                let end = place + 1 < car.offsets.count ? car.offsets[place + 1] : bytes.count
                bytes[end - 1] ^= 1
                let path = try car.write(bytes, in: directory)
                let offset = UInt64(car.offsets[place])
                #expect(throws: CARScanError(.corruptBlock, at: offset)) {
                    try CARScan.verify(path: path, bufferSize: bufferSize)
                }
                #expect(try CARScan.scan(path: path).sections == Self.sizes.count)
            }
        }
    }

    @Test("a file cut anywhere but between sections is truncated")
    func truncation() throws {
        let car = TestCAR(blockSizes: [40, 300, 0, 5_000])
        try withDirectory { directory in
            for size in Array(0..<700) + [car.bytes.count - 1] {
                let path = try car.write(Array(car.bytes.prefix(size)), in: directory)
                let complete = car.offsets.firstIndex(of: size)
                guard complete == nil else {
                    #expect(try CARScan.scan(path: path).sections == complete)
                    #expect(try CARScan.verify(path: path).sections == complete)
                    continue
                }
                let offset = UInt64(car.offsets.last { $0 <= size } ?? 0)
                #expect(throws: CARScanError(.truncated, at: offset)) {
                    try CARScan.scan(path: path)
                }
                #expect(throws: CARScanError(.truncated, at: offset)) {
                    try CARScan.verify(path: path)
                }
            }
        }
    }

    @Test(
        "a file other than a CAR of raw sha2-256 blocks is refused",
        arguments: [
            ([0x00], CARScanError.Code.unsupportedCID),
            ([0x80, 0x00], .malformedVarint),
            (Array(repeating: 0x80, count: 10), .malformedVarint),
            ([0xff, 0xff, 0xff, 0x7f], .tooLarge),
            ([0x24, 0x12, 0x20] + Array(repeating: 1, count: 34), .unsupportedCID),
            ([0x24, 0x01, 0x71, 0x12, 0x20] + Array(repeating: 1, count: 32), .unsupportedCID),
        ] as [([UInt8], CARScanError.Code)]
    )
    func refuses(section: [UInt8], code: CARScanError.Code) throws {
        let car = TestCAR(blockSizes: [10])
        try withDirectory { directory in
            let path = try car.write(car.bytes + section, in: directory)
            let error = CARScanError(code, at: UInt64(car.bytes.count))
            #expect(throws: error) { try CARScan.scan(path: path) }
            #expect(throws: error) { try CARScan.entries(of: path) }
        }
    }

    @Test("a CARv2 and a missing file are refused, and no file stays open")
    func notCARv1() throws {
        let pragma: [UInt8] = [0x0a, 0xa1, 0x67] + Array("version".utf8) + [2]
        try withDirectory { directory in
            let path = try TestCAR(blockSizes: []).write(pragma, in: directory)
            // More than a process may have open, if each stayed.
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            for _ in 0...min(limit.rlim_cur, 100_000) { _ = try? CARScan.scan(path: path) }
            #expect(throws: CARScanError(.notCARv1, at: 0)) { try CARScan.scan(path: path) }
            #expect(throws: CARScanError(.system(ENOENT), at: 0)) {
                try CARScan.scan(path: directory + "/missing")
            }
        }
    }
}
