import DAGBytes
import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Fetching transients")
struct TransientFetchTests {
    static let mebibyte = 1 << 20

    @Test(
        "a copy has the source's bytes, its size and its checksum",
        arguments: [0, 1, 5000, mebibyte, 2 * mebibyte + 7],
        [true, false]
    )
    func copies(size: Int, isDurable: Bool) async throws {
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let scene = try TransientScene(.init(quota: 100 << 20, isDurable: isDurable))
        for (number, piece) in [Int.max, 1000, 700_001].enumerated() where piece > size / 3000 {
            for (index, expected) in [UInt64(size), nil].enumerated() {
                let name = TransientName(UInt32(number * 2 + index))
                let source = MemorySequentialSource(bytes, pieceSizeMax: piece)
                let fetched = try await scene.store.fetch(
                    name,
                    expectedSize: expected,
                    from: source
                )
                #expect(fetched.size == UInt64(size))
                #expect(fetched.checksum == bytes.withView { ContentChecksum.of($0) })
                #expect(fetched.pin.isHeld)
                #expect(try fetched.transient.content() == bytes)
                #expect(scene.store.find(name) === fetched.transient)
                #expect(source.closeCount == 0)
            }
        }
        #expect(scene.store.usage.reserved == 0)
        #expect(scene.store.usage.bytes == scene.bytesOnDisk)
        #expect(!scene.files.contains { $0.hasSuffix(".partial") })
    }

    @Test(
        "fewer or more bytes than expected are an error, and nothing stays",
        arguments: [(100, 99), (100, 101), (0, 1), (1, 0), (100, 3_000_000)]
    )
    func wrongSize(expected: UInt64, size: Int) async throws {
        let scene = try TransientScene()
        let source = MemorySequentialSource([UInt8](repeating: 1, count: size))
        await #expect(throws: MountError(.shortRead, "")) {
            try await scene.store.fetch(.init(1), expectedSize: expected, from: source)
        }
        #expect(scene.files == [])
        #expect(scene.store.usage == .init(files: 0, bytes: 0, reserved: 0))
    }

    @Test("a source that returns more than it was asked for is refused")
    func greedy() async throws {
        final class Greedy: SequentialSource {
            func read(upTo size: Int) async throws -> [UInt8] {
                .init(repeating: 0, count: size + 1)
            }
            func close() {}
        }
        let scene = try TransientScene()
        await #expect(throws: MountError(.shortRead, "")) {
            try await scene.store.fetch(.init(1), expectedSize: nil, from: Greedy())
        }
        #expect(scene.files == [])
    }

    // The Go store kept the first error of a download forever.
    @Test("a source that fails leaves nothing, and the next fetch works")
    func failure() async throws {
        struct Odd: Error {}
        let scene = try TransientScene(.init(quota: 64 << 20, isDurable: false))
        let errors: [any Error] = [MountError(.timedOut, "t"), CancellationError(), Odd()]
        for error in errors {
            let source = MemorySequentialSource([1, 2, 3], pieceSizeMax: 2) { size in
                guard size == 2 else { throw error }
            }
            let thrown = await #expect(throws: (any Error).self) {
                try await scene.store.fetch(.init(1), expectedSize: nil, from: source)
            }
            #expect(thrown.map { type(of: $0) == type(of: error) } == true)
            #expect(scene.files == [])
            #expect(scene.store.usage.reserved == 0)
        }
        #expect(try await scene.fetch(.init(1), [1, 2, 3]).content() == [1, 2, 3])
    }

    @Test(
        "a cancelled fetch removes its file",
        .timeLimit(.minutes(10)),
        arguments: [true, false]
    )
    func cancellation(heedsCancellation: Bool) async throws {
        let scene = try TransientScene()
        let gate = Gate()
        let bytes = [UInt8](repeating: 1, count: 3 * Self.mebibyte)
        let source = MemorySequentialSource(bytes, pieceSizeMax: Self.mebibyte) { size in
            guard size == 0 else { return }
            try await gate.pass(heedingCancellation: heedsCancellation)
        }
        let task = OwnedTask {
            try await scene.store.fetch(.init(1), expectedSize: nil, from: source)
        }
        await gate.waitForArrivals(1)
        #expect(scene.files == [TransientName(1).partialFileName(of: scene.store.opening)])
        #expect(scene.store.usage.reserved == 16 << 20)
        task.cancel()
        // A source that does not heed it comes back with its end, and the copy is not wanted any more.
        if !heedsCancellation { gate.open() }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(scene.files == [])
        #expect(scene.store.usage == .init(files: 0, bytes: 0, reserved: 0))
    }

    // Two jobs of one shard: the first hangs in its source, is given up, and comes back to life.
    @Test("a fetch that was overtaken brings nothing, and harms no copy", .timeLimit(.minutes(10)))
    func overtaken() async throws {
        let scene = try TransientScene()
        let gate = Gate()
        let slow = MemorySequentialSource([1, 1, 1]) { size in
            guard size == 0 else { return }
            try await gate.pass(heedingCancellation: false)
        }
        let first = OwnedTask {
            try await scene.store.fetch(.init(1), expectedSize: nil, from: slow)
        }
        await gate.waitForArrivals(1)
        let second = try await scene.fetch(.init(1), [2, 2])
        gate.open()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(scene.store.find(.init(1)) === second)
        #expect(try second.content() == [2, 2])
        #expect(scene.files == [TransientName(1).fileName])
        #expect(scene.store.usage == .init(files: 1, bytes: 2, reserved: 0))
    }

    @Test(
        "a copy that was removed while it was fetched does not come back",
        .timeLimit(.minutes(10))
    )
    func removedMeanwhile() async throws {
        let scene = try TransientScene()
        let gate = Gate()
        let slow = MemorySequentialSource([1]) { size in
            guard size == 0 else { return }
            try await gate.pass(heedingCancellation: false)
        }
        let task = OwnedTask {
            try await scene.store.fetch(.init(1), expectedSize: 1, from: slow)
        }
        await gate.waitForArrivals(1)
        #expect(try scene.store.remove(.init(1)) == nil)
        #expect(scene.files == [])
        gate.open()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(scene.store.find(.init(1)) == nil)
        #expect(scene.store.usage == .init(files: 0, bytes: 0, reserved: 0))
        #expect(scene.files == [])
    }

    @Test("a fetch replaces an older copy, and readers of that keep it")
    func replaces() async throws {
        let scene = try TransientScene()
        let old = try await scene.fetch(.init(1), [1, 1, 1])
        let file = try old.open()
        try scene.write([9], to: TransientName(1).partialFileName(of: scene.store.opening))
        let new = try await scene.fetch(.init(1), [2])
        #expect(scene.store.usage == .init(files: 1, bytes: 1, reserved: 0))
        #expect(scene.files == [TransientName(1).fileName])
        let bytes = try file.read(at: 0, size: 3)
        #expect(withExtendedLifetime(bytes) { bytes.view.copied } == [1, 1, 1])
        #expect(!scene.store.pin(old).isHeld)
        #expect(scene.store.pin(new).isHeld)
    }

    @Test("a folder that is gone or no folder is unreachable, and nothing is counted")
    func badFolder() async throws {
        let scene = try TransientScene(.init(quota: 1000, isDurable: true))
        try FileManager.default.removeItem(atPath: scene.directory.string)
        for isFile in [false, true] {
            if isFile { _ = try scene.folder.write([1], to: "transients") }
            let error = await #expect(throws: MountError.self) {
                try await scene.fetch(.init(1), [1])
            }
            #expect(error?.code == .unreachable)
            #expect(error?.detail.contains(scene.directory.string) == true)
            #expect(scene.store.usage == .init(files: 0, bytes: 0, reserved: 0))
        }
        #expect(throws: MountError(.unreachable, "")) { try scene.reopened() }
    }

    // Root may write into any folder; other users see the errors of a read-only disk.
    @Test("a folder that must not be written is unreachable", .enabled(if: getuid() != 0))
    func readOnlyFolder() async throws {
        let scene = try TransientScene()
        let path = scene.directory.string
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: path)
        await #expect(throws: MountError(.unreachable, "")) { try await scene.fetch(.init(1), [1]) }
    }

    @Test("a file that may not grow is full, and leaves nothing")
    func full() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let scene = try TransientScene(.init(quota: 64 << 20, isDurable: true))
            try await scene.fetch(.init(1), [1, 2, 3])
            #if canImport(Darwin)
                let resource = RLIMIT_FSIZE
            #else
                let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            #endif
            var limit = rlimit(rlim_cur: 1_500_000, rlim_max: 1_500_000)
            // SAFETY: the structure is read during the call.
            try #require(unsafe setrlimit(resource, &limit) == 0)
            let large = [UInt8](repeating: 1, count: 3 << 20)
            await #expect(throws: MountError(.full, "")) {
                try await scene.fetch(.init(2), large)
            }
            #expect(scene.files == [TransientName(1).fileName])
            #expect(scene.store.usage == .init(files: 1, bytes: 3, reserved: 0))
            #expect(try scene.store.find(.init(1))?.content() == [1, 2, 3])
        }
    }
}
