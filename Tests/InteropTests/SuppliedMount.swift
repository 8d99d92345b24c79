import DAGMounts
import DAGStorage
import Foundation

/// A mount of the table: `sequential://PATH` or `random://PATH`.
struct SuppliedMount: Mount {
    let url: MountURL

    private var path: String { String(url.text.drop { $0 != ":" }.dropFirst(3)) }
    var access: MountAccess { url.scheme == "random" ? .random : .sequential }

    func resolving(_ url: MountURL) throws -> SuppliedMount { SuppliedMount(url: url) }

    private func content() throws -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw MountError(.gone, "\(path) does not exist")
        }
    }

    func stat() async throws -> MountStat { MountStat(size: UInt64(try content().count)) }

    func open() async throws -> MountSource {
        let bytes = try content()
        return access == .random
            ? .random(SuppliedBytes(bytes)) : .sequential(SuppliedBytes(bytes))
    }
}

private actor Position {
    private var value = 0

    /// Advances by at most `size`, up to `end`; returns the range.
    func advance(_ size: Int, end: Int) -> Range<Int> {
        let start = value
        value = min(end, start + size)
        return start..<value
    }
}

private final class SuppliedBytes: RandomSource, SequentialSource {
    private let bytes: [UInt8]
    private let position = Position()

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var size: UInt64 { UInt64(bytes.count) }

    func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
        let start = min(Int(offset), bytes.count)
        return Array(bytes[start..<min(bytes.count, start + size)])
    }

    func read(upTo size: Int) async throws -> [UInt8] {
        Array(bytes[await position.advance(size, end: bytes.count)])
    }

    func close() {}
}
