import DAGBytes
import DAGCAR
import DAGHashing
import DAGMultiformats
import Glibc
import Synchronization
import SystemPackage

/// The pseudo-random stream that every workload's bytes come from.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// A CAR of random raw blocks: the same bytes everywhere.
struct Dataset {
    let name: String
    let blocks: Int
    let blockSize: Int
    let seed: UInt64
    /// The sha2-256 of the file, where it is known.
    let sha256: String?

    static let n100k = Dataset(
        name: "n100k",
        blocks: 100_000,
        blockSize: 1024,
        seed: 1,
        sha256: "dfad3cdce20ec7deee0945f73ab450fc8e027897f511fc9fd8174a66c64b641e"
    )
    static let n1m = Dataset(
        name: "n1m",
        blocks: 1_000_000,
        blockSize: 256,
        seed: 2,
        sha256: "b2d9dfea34dea446589d04126159846c890f1e056c0172707d7d926b4ed544a5"
    )
    static let n16k = Dataset(
        name: "n16k",
        blocks: 16_384,
        blockSize: 262_144,
        seed: 3,
        sha256: "4d28a283af46cb1ca9aac9686d76a8a82cda40ff6c3d367c5ef1a89dd05b55b9"
    )

    /// Raw blocks of 32 bytes, for the cost curves: as many as there are to be entries.
    static func curve(_ count: Int) -> Dataset {
        Dataset(
            name: "curve-\(count)",
            blocks: count,
            blockSize: 32,
            seed: 0xc0de_0000 + UInt64(count),
            sha256: nil
        )
    }

    private static let files = Mutex<[DatasetLine]>([])

    /// The sets whose files were asked for until now.
    static func used() -> [DatasetLine] { files.withLock { $0 } }

    static func cid(of block: [UInt8]) -> CID {
        let digest = block.withView { BlockHash.digest(HashCode.sha2_256, of: $0) } ?? []
        return CID(codec: Codec.raw, multihash: Multihash(code: HashCode.sha2_256, digest: digest))
    }

    /// The file in `folder`, made if it is missing or not whole.
    func file(in folder: FilePath) throws -> FilePath {
        let path = folder.appending("\(name).car")
        let mark = folder.appending("\(name).sha256")
        var found = Machine.text(of: mark.string)
        if found.isEmpty || access(path.string, R_OK) != 0 {
            note("making \(path)")
            try write(to: path)
            found = try Self.sha256(of: path)
            guard sha256 == nil || found == sha256 else {
                throw BenchmarkError("\(path) has the sha256 \(found), not \(sha256 ?? "")")
            }
            let file = try FileDescriptor.open(
                mark,
                .writeOnly,
                options: [.create, .truncate],
                permissions: .ownerReadWrite
            )
            try file.closeAfter { _ = try file.writeAll(found.utf8) }
        }
        var status = stat()
        stat(path.string, &status)
        let line = DatasetLine(
            name: name,
            blocks: blocks,
            blockSize: blockSize,
            seed: seed,
            bytes: Int(status.st_size),
            sha256: found
        )
        let isFirst = Self.files.withLock { files in
            guard !files.contains(where: { $0.name == name }) else { return false }
            files.append(line)
            return true
        }
        if isFirst { try Self.warm(path) }
        return path
    }

    /// Reads a file once, so that it is in the system's cache, if it fits.
    private static func warm(_ path: FilePath) throws {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }) > 0 {}
    }

    /// Writes the CAR.
    func write(to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        defer { try? file.close() }
        var random = SplitMix64(seed: seed)
        var writer: CARWriter?
        var buffer: [UInt8] = []
        for _ in 0..<blocks {
            var block: [UInt8] = []
            block.reserveCapacity(blockSize)
            for _ in 0..<blockSize / 8 { block.append(littleEndian: random.next()) }
            let cid = Self.cid(of: block)
            if writer == nil {
                writer = CARWriter(roots: [cid])
                buffer += writer?.start() ?? []
            }
            buffer += writer?.prefix(for: cid, dataSize: block.count) ?? []
            buffer += block
            if buffer.count >= 4 << 20 {
                try file.writeAll(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try file.writeAll(buffer)
    }

    private static func sha256(of path: FilePath) throws -> String {
        let mapped = try MappedBytes(path)
        let digest = BlockHash.digest(HashCode.sha2_256, of: mapped.view) ?? []
        return Multihash(code: 0, digest: digest).hexadecimal.dropFirst(4).description
    }
}

/// A whole file in memory.
final class MappedBytes {
    let view: ByteView
    private let address: UnsafeMutableRawPointer
    private let size: Int

    init(_ path: FilePath) throws {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        size = Int(try file.seek(offset: 0, from: .end))
        guard let mapped = mmap(nil, size, PROT_READ, MAP_SHARED, file.rawValue, 0),
            mapped != MAP_FAILED
        else { throw BenchmarkError("\(path) cannot be mapped") }
        address = mapped
        view = ByteView(UnsafeRawBufferPointer(start: mapped, count: size))
    }

    deinit { munmap(address, size) }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Prints a line about the progress to standard error.
func note(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(Array("\(text)\n".utf8))
}

extension Dataset {
    /// Writes CARs of 5 blocks of 64 bytes, as TARGETS defines them, unless they are there.
    ///
    /// - Parameters:
    ///   - count: How many; of equal ones only the first.
    ///   - folder: Where to; made if it is missing.
    ///   - isSame: Whether all have the same content.
    /// - Throws: `BenchmarkError` with the system's message.
    static func writeSmallShards(_ count: Int, in folder: FilePath, isSame: Bool) throws {
        let last = folder.appending("\(isSame ? 0 : count - 1).car")
        guard access(last.string, R_OK) != 0 else { return }
        mkdir(folder.string, 0o755)
        for number in 0..<(isSame ? 1 : count) {
            let shard = smallShard(isSame ? nil : number)
            try writeFile(shard.bytes, to: folder.appending("\(number).car"))
        }
    }

    /// A CAR of 5 blocks of 64 bytes, and its CIDs; nil for the one of which there are many.
    static func smallShard(_ number: Int?) -> (bytes: [UInt8], cids: [CID]) {
        var random = SplitMix64(seed: number.map { 0x5eed_0000 + UInt64($0) } ?? 7)
        let blocks = (0..<5).map { _ in
            var block: [UInt8] = []
            for _ in 0..<8 { block.append(littleEndian: random.next()) }
            return block
        }
        let cids = blocks.map { cid(of: $0) }
        return (encoded(blocks, under: cids), cids)
    }

    /// Writes CARs of blocks of 64 bytes, once.
    ///
    /// - Returns: The CIDs of all of them.
    static func writeShards(_ count: Int, blocks: Int, in folder: FilePath) throws -> [CID] {
        let isThere = access(folder.appending("\(count - 1).car").string, R_OK) == 0
        mkdir(folder.string, 0o755)
        var cids: [CID] = []
        for number in 0..<count {
            var random = SplitMix64(seed: 0xb10c_0000 + UInt64(number))
            let blocks = (0..<blocks).map { _ in
                var block: [UInt8] = []
                for _ in 0..<8 { block.append(littleEndian: random.next()) }
                return block
            }
            let own = blocks.map { cid(of: $0) }
            cids += own
            guard !isThere else { continue }
            try writeFile(encoded(blocks, under: own), to: folder.appending("\(number).car"))
        }
        return cids
    }

    /// A CAR whose root is the first block.
    private static func encoded(_ blocks: [[UInt8]], under cids: [CID]) -> [UInt8] {
        var writer = CARWriter(roots: [cids[0]])
        var bytes = writer.start()
        for (cid, block) in zip(cids, blocks) {
            bytes += writer.prefix(for: cid, dataSize: block.count)
            bytes += block
        }
        return bytes
    }
}
