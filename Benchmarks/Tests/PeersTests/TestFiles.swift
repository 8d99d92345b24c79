import CDigestPeer
import Glibc
import Peers

/// Numbers that look random and are the same in every run.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

/// Calls `body` with a directory that is gone afterwards.
func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
    var name = Array("/tmp/peers-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&name) else { throw TestFileError() }
    let directory = String(cString: made)
    defer { system("rm -rf '\(directory)'") }
    return try body(directory)
}

struct TestFileError: Error {}

/// A CARv1 of raw blocks, made in memory.
struct TestCAR {
    private(set) var bytes: [UInt8]
    /// Where each section starts, in bytes.
    private(set) var offsets: [Int] = []
    private(set) var sizes: [Int]

    /// Makes blocks of these sizes, of random bytes.
    init(blockSizes: [Int], seed: UInt64 = 11) {
        var random = SplitMix64(seed: seed)
        // No roots, which is legal: a2 "roots" [] "version" 1.
        bytes = [0x11, 0xa2, 0x65] + Array("roots".utf8) + [0x80, 0x67]
        bytes += Array("version".utf8) + [1]
        sizes = blockSizes
        for size in blockSizes {
            offsets.append(bytes.count)
            let block = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            appendSection(block)
        }
    }

    private mutating func appendSection(_ block: [UInt8]) {
        var length = block.count + 36
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(block, block.count, &digest, nil, EVP_sha256(), nil)
        bytes += [0x01, 0x55, 0x12, 0x20] + digest + block
    }

    /// Writes the bytes, or others, to a file of the directory.
    func write(_ other: [UInt8]? = nil, in directory: String) throws -> String {
        let path = directory + "/test.car"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { throw TestFileError() }
        defer { close(file) }
        let bytes = other ?? self.bytes
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw TestFileError() }
        return path
    }
}
