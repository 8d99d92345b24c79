import Glibc

/// go-car's index file, `MultihashIndexSorted` (0x0401): a sorted file a shard, searched where it
/// is.
///
/// A file has a head of 30 bytes, then records of 32 bytes of digest and a little-endian u64
/// offset, ascending. It is mapped, and searched by halves without reading it into memory first, as
/// go-car does (40 MB a shard of 1 M, and a restart that grows with it): this is the layout at its
/// best.
///
/// go-car has no inverse. "Which shards" asks every file, so its cost grows with the shards; the
/// file has no lengths either. Both are work that the other systems do and this one saves at
/// ingest.
///
/// *Durability*: written beside, fsynced, renamed, directory fsynced.
public final class FlatPeer: IndexPeer {
    /// "flat".
    public static let system = "flat"

    /// Codec, one hash function, sha2-256, one width, 40 bytes; the length of the records follows.
    private static let head: [UInt8] =
        [0x81, 0x08] + [1, 0, 0, 0] + [0x12, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0] + [40, 0, 0, 0]
    private static let headSize = 30
    private static let recordSize = 40

    /// Linux allows 65,530 mappings a process; at half of that the peer unmaps all files and starts again.
    private static let mappingsMax = 32_768

    private struct Mapping {
        let base: UnsafeMutableRawPointer
        let size: Int
        let count: Int
    }

    private let directory: String
    private var mappings: [UInt32: Mapping] = [:]
    private var last: (shard: UInt32, mapping: Mapping)?
    /// The shards that have a file; read at the first question of which shards have a digest.
    private var known: Set<UInt32>?

    /// It needs nothing but files.
    public static func unavailability() -> String? { nil }

    /// Makes the directory; files are mapped when they are first asked.
    public init(at directory: String) throws(PeerError) {
        self.directory = directory
        try makeDirectory(directory, for: Self.system)
    }

    deinit { unmapAll() }

    /// Sorts the entries and writes the shard's file.
    public func ingest(
        shard: UInt32,
        _ entries: UnsafeBufferPointer<PeerEntry>
    ) throws(PeerError) {
        let order = DigestOrder(of: entries)
        let path = self.path(of: shard)
        let partial = path + ".partial"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure(partial) }
        defer { _ = Glibc.close(file) }
        try write(order, to: file, at: partial)
        guard fsync(file) == 0 else { throw failure(partial) }
        guard rename(partial, path) == 0 else { throw failure(path) }
        try synchronise(directory, for: Self.system)
        known?.insert(shard)
        unmap(shard)
    }

    /// Searches the shard's file by halves.
    public func offset(
        of digest: UnsafeRawPointer,
        in shard: UInt32
    ) throws(PeerError) -> UInt64? {
        guard let mapping = try mapping(of: shard) else { return nil }
        return Self.find(digest, in: mapping)
    }

    /// Asks every shard's file.
    public func shards(of digest: UnsafeRawPointer) throws(PeerError) -> [UInt32] {
        let known = self.known ?? readNames()
        self.known = known
        var found: [UInt32] = []
        for shard in known where try offset(of: digest, in: shard) != nil { found.append(shard) }
        return found
    }

    /// Unmaps the files.
    public func close() throws(PeerError) { unmapAll() }

    // MARK: Files

    private func path(of shard: UInt32) -> String { "\(directory)/\(shard).idx" }

    private func failure(_ path: String) -> PeerError {
        PeerError(errno: errno, at: path, for: Self.system)
    }

    private func readNames() -> Set<UInt32> {
        var shards: Set<UInt32> = []
        forEachName(in: directory) { name in
            guard name.hasSuffix(".idx"), let shard = UInt32(name.dropLast(4)) else { return }
            shards.insert(shard)
        }
        return shards
    }

    private func write(
        _ order: borrowing DigestOrder,
        to file: Int32,
        at path: String
    ) throws(PeerError) {
        // 1 MiB at a time: as fast as all at once, and bounded for a shard of any size.
        let capacity = 1 << 20
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyMemory(from: Self.head, byteCount: Self.head.count)
        let size = UInt64(order.count * Self.recordSize)
        buffer.storeBytes(of: size.littleEndian, toByteOffset: Self.head.count, as: UInt64.self)
        var filled = Self.headSize
        for place in 0..<order.count {
            if filled + Self.recordSize > capacity {
                try writeAll(buffer, filled, to: file, at: path)
                filled = 0
            }
            let entry = order[place]
            buffer.storeBytes(of: entry.digest.0, toByteOffset: filled, as: UInt64.self)
            buffer.storeBytes(of: entry.digest.1, toByteOffset: filled + 8, as: UInt64.self)
            buffer.storeBytes(of: entry.digest.2, toByteOffset: filled + 16, as: UInt64.self)
            buffer.storeBytes(of: entry.digest.3, toByteOffset: filled + 24, as: UInt64.self)
            let offset = entry.offset.littleEndian
            buffer.storeBytes(of: offset, toByteOffset: filled + 32, as: UInt64.self)
            filled += Self.recordSize
        }
        try writeAll(buffer, filled, to: file, at: path)
    }

    private func writeAll(
        _ bytes: UnsafeMutableRawPointer,
        _ size: Int,
        to file: Int32,
        at path: String
    ) throws(PeerError) {
        var written = 0
        while written < size {
            let count = Glibc.write(file, bytes + written, size - written)
            guard count >= 0 || errno == EINTR else { throw failure(path) }
            written += max(count, 0)
        }
    }

    // MARK: Mappings

    private func mapping(of shard: UInt32) throws(PeerError) -> Mapping? {
        if let last, last.shard == shard { return last.mapping }
        if let mapping = mappings[shard] {
            last = (shard, mapping)
            return mapping
        }
        if mappings.count >= Self.mappingsMax { unmapAll() }
        guard let mapping = try map(path(of: shard)) else { return nil }
        mappings[shard] = mapping
        last = (shard, mapping)
        return mapping
    }

    private func map(_ path: String) throws(PeerError) -> Mapping? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw failure(path) }
            return nil
        }
        defer { _ = Glibc.close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path) }
        let size = Int(status.st_size)
        guard size >= Self.headSize else { throw malformed(path) }
        guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), base != MAP_FAILED else {
            throw failure(path)
        }
        let bytes = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 22, as: UInt64.self))
        guard memcmp(base, Self.head, Self.head.count) == 0, bytes == size - Self.headSize else {
            munmap(base, size)
            throw malformed(path)
        }
        return Mapping(base: base, size: size, count: Int(bytes) / Self.recordSize)
    }

    private func malformed(_ path: String) -> PeerError {
        PeerError(system: Self.system, text: "\(path): not an index of sha2-256 digests")
    }

    private func unmap(_ shard: UInt32) {
        guard let mapping = mappings.removeValue(forKey: shard) else { return }
        last = nil
        munmap(mapping.base, mapping.size)
    }

    private func unmapAll() {
        for mapping in mappings.values { munmap(mapping.base, mapping.size) }
        mappings.removeAll()
        last = nil
    }

    // MARK: Search

    /// Finds the first record that is not before the digest.
    private static func find(_ digest: UnsafeRawPointer, in mapping: Mapping) -> UInt64? {
        let records = UnsafeRawPointer(mapping.base) + headSize
        let prefix = digest.loadUnaligned(as: UInt64.self).bigEndian
        var low = 0
        var high = mapping.count
        while low < high {
            let middle = (low + high) >> 1
            let record = records + middle * recordSize
            let other = record.loadUnaligned(as: UInt64.self).bigEndian
            // Eight bytes decide nearly always; memcmp at each step cost 9 % more.
            if other < prefix || other == prefix && memcmp(record, digest, 32) < 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < mapping.count else { return nil }
        let record = records + low * recordSize
        guard memcmp(record, digest, 32) == 0 else { return nil }
        return UInt64(littleEndian: record.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
    }
}
