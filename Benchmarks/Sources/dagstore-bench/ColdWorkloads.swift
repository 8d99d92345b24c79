import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// Reads of blocks that are not in memory.
extension Workload {
    static let cold = Workload(
        name: "cold",
        about: "TARGETS 30: read a cold block of 1 MiB, mapped, copied, and with pread, in turn"
    ) { bench in
        let count = bench.isQuick ? 32 : 128
        let set = Dataset(
            name: "cold-\(count)",
            blocks: count,
            blockSize: 1 << 20,
            seed: 4,
            sha256: nil
        )
        let store = try await store(bench, set)
        let shard = try await store.acquire(ShardKey(set.name))
        let reads = try ColdReads(of: shard, at: set.file(in: bench.folder))
        var latencies = ColdReads.Way.allCases.map { _ in Latencies() }
        var medians: [[Double]] = ColdReads.Way.allCases.map { _ in [] }
        for run in 0..<bench.runs {
            for (place, values) in try reads.run(number: run).enumerated() {
                for value in values { latencies[place].record(value) }
                latencies[place].endRun()
                let figure = Figure(name: "", unit: "ns", values: values.map { Double($0) })
                medians[place].append(figure.median)
            }
        }
        shard.release()
        await store.close()
        let times = zip(ColdReads.Way.allCases, latencies).flatMap { way, latencies in
            latencies.figures("cold.\(way.rawValue)", unit: "ms", scale: 1e6)
        }
        let ratios = zip(ColdReads.Way.allCases, medians).filter { $0.0 != .pread }.map {
            way,
            all in
            Figure(
                name: "cold.\(way.rawValue).to-pread",
                unit: "x",
                values: zip(all, medians[ColdReads.Way.pread.place]).map { $0 / $1 }
            )
        }
        return times + ratios
    }
}

/// A CAR whose blocks are put out of memory and read again.
private final class ColdReads {
    /// The ways to read a block.
    enum Way: String, CaseIterable {
        /// As a view of the mapped CAR, of which every page is touched.
        case mapped
        /// As a copy that the store makes.
        case copied
        /// By the system call alone.
        case pread

        var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    private struct Target {
        let cid: CID
        let location: BlockLocation
        /// The result of `sum` for the block; comparing with it keeps the compiler from removing the read.
        let sum: Int
    }

    /// The distance of the blocks that are read, from each other and from the ends.
    private static let distance = 4
    private static let pageSize = 4096

    private let shard: Shard
    private let file: FileDescriptor
    private let targets: [Target]
    /// A mapping that is never read; `mincore` says which of its pages are in memory.
    private let watch: UnsafeMutableRawPointer
    private let size: Int
    private let buffer: UnsafeMutableRawBufferPointer

    init(of shard: Shard, at path: FilePath) throws {
        self.shard = shard
        file = try FileDescriptor.open(path, .readOnly)
        size = Int(try file.seek(offset: 0, from: .end))
        // Pages that are not on disk yet cannot leave memory.
        guard fsync(file.rawValue) == 0 else { throw BenchmarkError("\(path): fsync fails") }
        guard let watch = mmap(nil, size, PROT_READ, MAP_SHARED, file.rawValue, 0),
            watch != MAP_FAILED
        else { throw BenchmarkError("\(path) cannot be mapped") }
        self.watch = watch
        buffer = .allocate(byteCount: 1 << 20, alignment: Self.pageSize)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        let cids = try Measurement.cids(of: shard)
        let distance = Self.distance
        targets = try stride(from: distance, to: cids.count - distance, by: distance).map { place in
            guard let location = try shard.location(of: cids[place]),
                let block = try shard.blockIfLocal(for: cids[place])
            else { throw BenchmarkError("a block is missing") }
            let sum = block.bytes.withUnsafeBytes { bytes in
                defer { Self.unmapPages(around: bytes) }
                return Self.sum(bytes)
            }
            return Target(cid: cids[place], location: location, sum: sum)
        }
    }

    deinit {
        munmap(watch, size)
        buffer.deallocate()
        try? file.close()
    }

    /// Reads every block once each way, in an order that changes from block to block and run to run.
    ///
    /// - Parameter number: The number of the run.
    /// - Returns: The nanoseconds of each read, by way.
    /// - Throws: `BenchmarkError` if a block stays in memory or is read wrongly.
    func run(number: Int) throws -> [[UInt64]] {
        var times: [[UInt64]] = Way.allCases.map { _ in [] }
        for (place, target) in targets.enumerated() {
            for turn in 0..<Way.allCases.count {
                let way = Way.allCases[(turn + place + number) % Way.allCases.count]
                try makeCold(target)
                times[way.place].append(try read(target, way))
            }
        }
        return times
    }

    /// Returns the nanoseconds of a read that also touches every page.
    private func read(_ target: Target, _ way: Way) throws -> UInt64 {
        let start = now()
        var sum: Int?
        var block: Block?
        switch way {
        case .mapped:
            block = try shard.blockIfLocal(for: target.cid)
            sum = block?.bytes.withUnsafeBytes { Self.sum($0) }
        case .copied:
            block = try shard.blockIfLocal(for: target.cid)
            sum = try block?.copiedBytes.withUnsafeBytes { Self.sum($0) }
        case .pread:
            let offset = Int64(target.location.blockOffset)
            if try file.read(fromAbsoluteOffset: offset, into: buffer) == buffer.count {
                sum = Self.sum(UnsafeRawBufferPointer(buffer))
            }
        }
        let time = now() - start
        guard sum == target.sum else { throw BenchmarkError("a block was read wrongly") }
        block?.bytes.withUnsafeBytes { Self.unmapPages(around: $0) }
        return time
    }

    /// Adds up a byte of every page.
    private static func sum(_ bytes: UnsafeRawBufferPointer) -> Int {
        stride(from: 0, to: bytes.count, by: pageSize).reduce(0) { $0 + Int(bytes[$1]) }
    }

    /// Takes the pages of a block and those around them out of the page tables.
    ///
    /// The system keeps mapped pages in memory, and a page fault maps the pages around it too. The
    /// blocks on both sides belong to the same mapping, since no target is near an end of the file.
    private static func unmapPages(around bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        let margin = 1 << 20
        let mask = UInt(pageSize - 1)
        let start = (UInt(bitPattern: base) - UInt(margin)) & ~mask
        let end = (UInt(bitPattern: base) + UInt(bytes.count + margin)) & ~mask
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
    }

    /// Drops the file from memory, and checks that no page of the block is left.
    private func makeCold(_ target: Target) throws {
        posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
        let first = Int(target.location.blockOffset) / Self.pageSize
        let last = Int(target.location.blockOffset + target.location.size - 1) / Self.pageSize
        var resident = [UInt8](repeating: 0, count: last - first + 1)
        let start = watch + first * Self.pageSize
        guard mincore(start, resident.count * Self.pageSize, &resident) == 0 else {
            throw BenchmarkError("mincore fails")
        }
        let count = resident.count { $0 & 1 == 1 }
        guard count == 0 else {
            throw BenchmarkError("\(count) pages of a block stay in memory")
        }
    }
}
