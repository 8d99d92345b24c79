import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import RemoteMounts

@Suite("Extents and caches", .timeLimit(.minutes(10)))
struct ExtentTests {
    @Test("a map answers as an array of known bytes does", arguments: 0..<30)
    func model(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        let bytes = generator.bytes(200)
        var known = [Bool](repeating: false, count: 200)
        var map = ExtentMap()
        for _ in 0..<40 {
            let start = Int.random(in: 0..<200, using: &generator)
            let end = Int.random(in: start..<200, using: &generator) + 1
            if Bool.random(using: &generator), end - start < 30 {
                let added = map.insert(bytes[start..<end], at: UInt64(start))
                #expect(added == (start..<end).count { !known[$0] }, "seed \(seed)")
                for index in start..<end { known[index] = true }
            }
            let range = UInt64(start)..<UInt64(end)
            var found = [Bool](repeating: false, count: 200)
            for part in map.parts(in: range) {
                for (index, byte) in part.bytes.enumerated() {
                    found[Int(part.start) + index] = true
                    #expect(byte == bytes[Int(part.start) + index], "seed \(seed)")
                }
            }
            for gap in map.gaps(in: range) {
                for index in gap { #expect(!known[Int(index)], "seed \(seed)") }
            }
            #expect((start..<end).allSatisfy { found[$0] == known[$0] }, "seed \(seed)")
        }
    }

    @Test("an assembly has all its bytes when no gap is left")
    func assembly() {
        var assembly = Assembly(10..<20)
        assembly.add([1, 2, 3, 4][...], at: 8)
        #expect(assembly.gaps == [12..<20])
        assembly.add([UInt8](repeating: 9, count: 100)[...], at: 15)
        #expect(assembly.gaps == [12..<15])
        assembly.add([5, 6, 7, 8, 9][5...], at: 12)
        assembly.add([5, 6, 7][...], at: 12)
        #expect(assembly.gaps == [])
        #expect(assembly.bytes == [3, 4, 5, 6, 7, 9, 9, 9, 9, 9])
        var whole = Assembly(10..<12)
        #expect(whole.bytes == [0, 0])
        whole.add([1, 2, 3, 4, 5][1...], at: 9)
        #expect(whole.gaps == [])
        #expect(whole.bytes == [3, 4])
    }

    private static func key(_ number: UInt8) -> CacheKey {
        CacheKey(bytes: [UInt8](repeating: number, count: 32))
    }

    @Test("the memory keeps what was used last, within its limit")
    func memory() {
        let cache = BlockCache(sizeMax: 100_000)
        let bytes = [UInt8](repeating: 7, count: 1000)
        func isKnown(_ number: UInt64) -> Bool {
            var assembly = Assembly(number * 1000..<number * 1000 + 1000)
            cache.read(Self.key(1), into: &assembly)
            return assembly.gaps.isEmpty
        }
        for number in 0..<1000 as Range<UInt64> {
            cache.insert(bytes, Self.key(1), at: number * 1000)
            #expect(isKnown(0), "the first part is asked for again and again")
            #expect(cache.size <= 100_000)
        }
        #expect(isKnown(999))
        #expect(!isKnown(500))
        let range: Range<UInt64> = 999_500..<1_000_500
        #expect(cache.missing(Self.key(1), in: range) == [1_000_000..<1_000_500])
        #expect(cache.missing(Self.key(2), in: range) == [range])
        cache.insert([UInt8](repeating: 0, count: 50_000), Self.key(2), at: 0)
        var large = Assembly(0..<10)
        cache.read(Self.key(2), into: &large)
        #expect(large.gaps == [0..<10])
    }

    // MARK: Disk

    private static func read(
        _ cache: DiskCache,
        _ range: Range<UInt64>,
        _ key: CacheKey
    ) -> [UInt8]? {
        var assembly = Assembly(range)
        cache.read(key, into: &assembly)
        return assembly.gaps.isEmpty ? assembly.bytes : nil
    }

    @Test("the disk keeps bytes over an end of the process, by version")
    func disk() throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix64(seed: 3)
        let bytes = generator.bytes(300_000)
        do {
            let cache = try DiskCache(at: folder.cachePath, sizeMax: 8 << 20)
            cache.insert(bytes, Self.key(1), at: 12_345)
            cache.insert([1, 2, 3], Self.key(2), at: 12_345)
            #expect(Self.read(cache, 12_345..<312_345, Self.key(1)) == bytes)
        }
        let cache = try DiskCache(at: folder.cachePath, sizeMax: 8 << 20)
        #expect(Self.read(cache, 12_345..<312_345, Self.key(1)) == bytes)
        #expect(Self.read(cache, 80_000..<90_000, Self.key(1)) == Array(bytes[67_655..<77_655]))
        #expect(Self.read(cache, 12_345..<12_348, Self.key(2)) == [1, 2, 3])
        #expect(Self.read(cache, 12_344..<12_348, Self.key(2)) == nil)
        #expect(Self.read(cache, 12_345..<12_348, Self.key(3)) == nil)
        let size = cache.size
        cache.insert(Array(bytes[..<50_000]), Self.key(1), at: 12_345)
        #expect(cache.size == size, "known bytes are not written again")
    }

    #if os(Linux)
        @Test(
            "a cache that fills the disk gives all of its room back",
            .enabled(if: geteuid() == 0, "only root can make a small disk")
        )
        func fullDisk() async throws {
            let folder = try TemporaryFolder()
            let path = folder.url.path
            func run(_ command: String) throws -> Int32 {
                let process = try Process.run(
                    URL(filePath: "/bin/sh"),
                    arguments: ["-c", "\(command) 2>/dev/null"]
                )
                process.waitUntilExit()
                return process.terminationStatus
            }
            // A container may refuse it, also to root.
            guard try run("mount -t tmpfs -o size=512k tmpfs '\(path)'") == 0 else { return }
            defer { _ = try? run("umount -l '\(path)'") }
            let cache = try DiskCache(at: folder.cachePath, sizeMax: 64 << 20)
            let bytes = [UInt8](repeating: 5, count: 60_000)
            for number in 0..<20 as Range<UInt64> {
                cache.insert(bytes, Self.key(1), at: number * 65_536)
            }
            #expect(cache.size == 0)
            #expect(try folder.cacheFiles().isEmpty)
            #expect(Self.read(cache, 0..<60_000, Self.key(1)) == nil)
            // A process that another test starts has the removed files open until it runs its program.
            await eventually {
                (try? folder.write([UInt8](repeating: 1, count: 400_000), to: "another")) != nil
            }
        }
    #endif

    @Test("one process uses a folder at a time")
    func lock() throws {
        let folder = try TemporaryFolder()
        let cache = try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
        #expect(throws: MountError(.unreachable, "")) {
            try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
        }
        #expect(cache.size == 0)
    }

    @Test("the disk's oldest bytes go when the limit is reached")
    func bound() throws {
        let folder = try TemporaryFolder()
        let cache = try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
        let bytes = [UInt8](repeating: 5, count: 20_000)
        for number in 0..<200 as Range<UInt64> {
            cache.insert(bytes, Self.key(1), at: number * 20_000)
            // A segment may exceed its share by one entry.
            #expect(cache.size <= 1 << 20 + 16 * 66_000)
        }
        #expect(Self.read(cache, 199 * 20_000..<200 * 20_000, Self.key(1)) == bytes)
        #expect(Self.read(cache, 0..<20_000, Self.key(1)) == nil)
        let files = try folder.cacheFiles()
        #expect(files.count <= DiskCache.segmentCountMax)
    }

    // A kill -9 leaves a segment that ends anywhere; so the test cuts it at every length around its entries' ends.
    @Test("a segment that a crash tore keeps its whole entries, and no other byte is believed")
    func torn() throws {
        var generator = SplitMix64(seed: 4)
        let parts = (0..<3).map { _ in generator.bytes(100) }
        let whole: [UInt8]
        do {
            let folder = try TemporaryFolder()
            let cache = try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
            for (index, part) in parts.enumerated() {
                cache.insert(part, Self.key(1), at: UInt64(index) * 1000)
            }
            whole = try #require(try folder.cacheFiles().first).bytes()
        }
        #expect(whole.count == 3 * 188)
        for size in 0...whole.count {
            let folder = try TemporaryFolder()
            _ = try folder.write(Array(whole[..<size]), to: "segment-0000000000000001")
            let cache = try DiskCache(at: .init(folder.url.path), sizeMax: 1 << 20)
            for (index, part) in parts.enumerated() {
                let start = UInt64(index) * 1000
                let found = Self.read(cache, start..<start + 100, Self.key(1))
                #expect(found == (size >= (index + 1) * 188 ? part : nil), "\(size) bytes")
            }
        }
    }

    @Test("a byte that the disk changed is never returned", arguments: 0..<188)
    func damaged(position: Int) throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix64(seed: 5)
        let parts = [generator.bytes(100), generator.bytes(100)]
        do {
            let cache = try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
            for (index, part) in parts.enumerated() {
                cache.insert(part, Self.key(1), at: UInt64(index) * 1000)
            }
        }
        let file = try #require(try folder.cacheFiles().first)
        var bytes = try file.bytes()
        bytes[position] ^= 0x10
        try bytes.write(to: file)
        let cache = try DiskCache(at: folder.cachePath, sizeMax: 1 << 20)
        #expect(Self.read(cache, 0..<100, Self.key(1)) == nil)
        let second = Self.read(cache, 1000..<1100, Self.key(1))
        // A damaged header hides what follows it; damaged bytes do not.
        #expect(second == (position < 88 ? nil : parts[1]))
    }
}

extension TemporaryFolder {
    /// The folder of a cache.
    var cachePath: FilePath { FilePath(path(of: "cache")) }

    /// The cache's segments, oldest first.
    func cacheFiles() throws -> [URL] {
        try url.appending(path: "cache").files().filter { $0.lastPathComponent != "lock" }
    }
}

extension [UInt8] {
    /// Writes the bytes in place of a file's.
    fileprivate func write(to file: URL) throws { try Data(self).write(to: file) }
}
