import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

#if DAGSTORE_FAILPOINTS
    @Suite("Transients and power cuts")
    struct TransientCrashTests {
        static let before = [UInt8](repeating: 1, count: 10)
        static let after = [UInt8](repeating: 2, count: (1 << 20) + 3)

        @Test(
            "at whatever step a process ends, a file named complete is complete",
            arguments: [
                ("partialCreated", false), ("partialWritten", false), ("partialSynced", false),
                ("copyRenamed", true), ("copyComplete", true),
            ]
        )
        func fetch(point: String, isWhole: Bool) async throws {
            let folder = try TemporaryFolder()
            let directory = folder.path(of: "transients")
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [directory = directory as String, point = point as String] in
                // The first fetch passes the place too.
                let store = try Self.opened(directory, endingAt: point + ":2").store
                _ = try await Self.fetch(1, Self.before, store)
                _ = try await Self.fetch(2, Self.after, store)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let isThere = names.contains { name in
                guard let parsed = TransientName.parse(name) else { return false }
                return parsed.name == TransientName(2) && parsed.isComplete == isWhole
            }
            #expect(isThere)
            let (store, swept) = try Self.opened(directory)
            #expect(swept.partialsRemoved == (isWhole ? 0 : 1))
            #expect(try store.find(.init(1))?.content() == Self.before)
            #expect(try store.find(.init(2))?.content() == (isWhole ? Self.after : nil))
        }

        @Test("a process that ends right after a removal has removed that copy and no other")
        func removal() async throws {
            let folder = try TemporaryFolder()
            let directory = folder.path(of: "transients")
            await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
                let store = try Self.opened(directory, endingAt: "copyRemoved:2").store
                for number in 1...3 as ClosedRange<UInt32> {
                    _ = try await Self.fetch(number, Self.before, store)
                }
                _ = store.collect(downTo: nil) { _ in false }
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names == [TransientName(3).fileName])
        }

        /// A store that is open; the process ends at the failpoint, if one is named.
        private static func opened(
            _ directory: String,
            endingAt failpoint: String? = nil
        ) throws -> (store: TransientStore, swept: TransientStore.Swept) {
            // SAFETY: the strings are read during the call, before other threads read the environment.
            if let failpoint { _ = unsafe setenv("DAGSTORE_FAILPOINT", failpoint, 1) }
            let store = TransientStore(
                directory: FilePath(directory),
                pool: JobPool(label: "crash", width: 1),
                options: .init()
            )
            return (store, try store.open { _ in true })
        }

        private static func fetch(
            _ number: UInt32,
            _ bytes: [UInt8],
            _ store: TransientStore
        ) async throws -> TransientStore.Fetched {
            let source = MemorySequentialSource(bytes)
            return try await store.fetch(TransientName(number), expectedSize: nil, from: source)
        }
    }
#endif
