import DAGBytes
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DAGMounts

@Suite("Transient stores")
struct TransientStoreTests {
    @Test("opening removes partial and unknown transients, and no other files")
    func sweep() async throws {
        let scene = try TransientScene()
        for number in 1...3 as ClosedRange<UInt32> {
            try await scene.fetch(.init(number), [UInt8](repeating: 1, count: Int(number)))
        }
        try scene.write([1], to: TransientName(7).partialFileName(of: "0123456789abcdef"))
        let others = ["notes.txt", "a.complete", "b.partial", TransientName(1).hash]
        for name in others { try scene.write([1], to: name) }
        // A folder and a link have such names, but another program made them.
        let manager = FileManager.default
        let folderName = TransientName(8).fileName
        let linkName = TransientName(9).partialFileName(of: "0123456789abcdef")
        try manager.createDirectory(
            atPath: scene.directory.appending(folderName).string,
            withIntermediateDirectories: false
        )
        try manager.createSymbolicLink(
            atPath: scene.directory.appending(linkName).string,
            withDestinationPath: scene.directory.appending("notes.txt").string
        )
        let (store, swept) = try scene.reopened { $0.number != 2 }
        #expect(swept == .init(files: 2, bytes: 4, partialsRemoved: 1, unknownRemoved: 1))
        #expect(store.usage == .init(files: 2, bytes: 4))
        let kept = [1, 3].map { TransientName($0).fileName }
        #expect(Set(scene.files) == Set(others + kept + [folderName, linkName]))
        #expect(try store.find(.init(3))?.content() == [1, 1, 1])
        #expect(store.find(.init(2)) == nil)
    }

    @Test("after a restart the oldest copy counts as the one not used for longest")
    func ages() async throws {
        let scene = try TransientScene()
        let ages: [UInt32: TimeInterval] = [1: 300, 2: 100, 3: 200]
        for (number, age) in ages {
            let path = try await scene.fetch(.init(number), [1]).path.string
            let date = Date(timeIntervalSince1970: 1_000_000 - age)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        }
        let store = try scene.reopened().store
        let collected = store.collect(downTo: nil) { _ in false }
        #expect(collected.map(\.name.number) == [1, 3, 2])
        #expect(collected.allSatisfy { $0.outcome == .removed })
    }

    @Test("a copy whose file vanished is forgotten, and one of another size is removed")
    func vanished() async throws {
        let scene = try TransientScene()
        for number in 1...2 as ClosedRange<UInt32> { try await scene.fetch(.init(number), [1, 2]) }
        let gone = scene.directory.appending(TransientName(1).fileName)
        try FileManager.default.removeItem(atPath: gone.string)
        try scene.write([1, 2, 3], to: TransientName(2).fileName)
        for number in 1...2 as ClosedRange<UInt32> {
            #expect(scene.store.find(.init(number)) == nil)
            #expect(scene.store.find(.init(number)) == nil)
        }
        #expect(scene.store.usage == .init())
        #expect(scene.files == [])
    }

    @Test("removing is done once, also while the copy is read")
    func remove() async throws {
        let scene = try TransientScene()
        let transient = try await scene.fetch(.init(1), [1, 2, 3])
        let pin = scene.store.pin(transient)
        let file = try transient.open()
        #expect(try scene.store.remove(.init(1)) == 3)
        #expect(try scene.store.remove(.init(1)) == nil)
        #expect(try scene.store.remove(.init(2)) == nil)
        #expect(scene.store.usage == .init())
        #expect(scene.store.find(.init(1)) == nil)
        try file.checkReadable([1, 2, 3])
        #expect(throws: MountError(.gone, "")) { try transient.open() }
        // The old pin must not take one away from the new copy.
        let again = try await scene.fetch(.init(1), [4])
        let newPin = scene.store.pin(again)
        withExtendedLifetime(pin) {}
        let outcomes = scene.store.collect(downTo: nil) { _ in false }.map(\.outcome)
        #expect(outcomes == [.inUse])
        #expect(newPin.isHeld)
    }

    @Test("a collection removes the least recently used transients, and reports each")
    func collect() async throws {
        let scene = try TransientScene()
        for number in 1...6 as ClosedRange<UInt32> {
            try await scene.fetch(.init(number), [UInt8](repeating: 1, count: 10))
        }
        let third = try #require(scene.store.find(.init(3)))
        let pin = scene.store.pin(third)
        _ = scene.store.find(.init(1))
        let collected = scene.store.collect(downTo: 30) { $0.number == 2 }
        let expected: [(UInt32, TransientStore.Collected.Outcome)] = [
            (2, .protected), (4, .removed), (5, .removed), (6, .removed), (3, .inUse), (1, .kept),
        ]
        #expect(
            collected
                == expected.map { .init(name: TransientName($0.0), bytes: 10, outcome: $0.1) }
        )
        #expect(pin.isHeld)
        #expect(scene.store.usage == .init(files: 3, bytes: 30))
        #expect(scene.bytesOnDisk == 30)
    }

    @Test("a copy that cannot be removed is reported, and stays")
    func failedRemoval() async throws {
        let scene = try TransientScene()
        let path = try await scene.fetch(.init(1), [1]).path.string
        // A folder under a copy's name cannot be unlinked, not even by root.
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        // The task of the fetch may keep its pin for a moment after the answer.
        var collected: [TransientStore.Collected.Outcome] = []
        await eventually {
            collected = scene.store.collect(downTo: nil) { _ in false }.map(\.outcome)
            return collected != [.inUse]
        }
        #expect(collected == [.failed(MountError(.unreachable, ""))])
        #expect(throws: MountError(.unreachable, "")) { try scene.store.remove(.init(1)) }
        #expect(scene.store.usage.files == 1)
    }

    @Test("a copy stays while any of its pins lives")
    func pins() async throws {
        let scene = try TransientScene()
        let transient = try await scene.fetch(.init(1), [1])
        var pins = (0..<3).map { _ in scene.store.pin(transient) }
        while !pins.isEmpty {
            #expect(scene.store.collect(downTo: nil) { _ in false }.map(\.outcome) == [.inUse])
            pins.removeLast()
        }
        #expect(scene.store.collect(downTo: nil) { _ in false }.map(\.outcome) == [.removed])
    }

    @Test("the first use opens the folder, once")
    func prepared() async throws {
        let scene = try TransientScene()
        let known = try await scene.fetch(.init(1), [1, 2])
        _ = try await scene.fetch(.init(2), [3])
        let pool = JobPool(label: "transients", width: 4)
        let options = TransientStore.Options(isDurable: false)
        let asks = Atomic<Int>(0)
        let store = TransientStore(directory: scene.directory, pool: pool, options: options) {
            asks.add(1, ordering: .relaxed)
            return $0 == .init(1)
        }
        #expect(scene.files.count == 2)
        await withTaskGroup(of: UInt64?.self) { group in
            for _ in 0..<8 { group.addTask { store.find(.init(1))?.size } }
            for await size in group { #expect(size == 2) }
        }
        #expect(scene.files == [try #require(known.path.lastComponent).string])
        #expect(asks.load(ordering: .relaxed) == 2)
        // A later transient does not belong to an earlier process.
        _ = try await scene.fetch(.init(3), [4])
        try store.prepare()
        #expect(scene.files.count == 2)
        #expect(store.usage == .init(files: 1, bytes: 2))
    }

    @Test("a removed file is closed after the lock is released, and the table keeps none")
    func unlinked() async throws {
        let scene = try TransientScene()
        let transient = try await scene.fetch(.init(1), [1, 2])
        let count = scene.store.withTable { table in
            _ = try? scene.store.unlink(transient.path, in: &table)
            return table.unlinked.count
        }
        #expect(count == 1)
        #expect(scene.files == [])
        #expect(scene.store.withTable { $0.unlinked.count } == 0)
    }

    @Test("a borrowed file is opened and never touched")
    func borrowed() async throws {
        let scene = try TransientScene()
        let path = FilePath(try scene.folder.write([1, 2], to: "mine.car"))
        try BorrowedTransient(path).open().checkReadable([1, 2])
        let missing = BorrowedTransient(FilePath(scene.folder.path(of: "none")))
        #expect(throws: MountError(.gone, "")) { try missing.open() }
        _ = scene.store.collect(downTo: nil) { _ in false }
        try BorrowedTransient(path).open().checkReadable([1, 2])
    }
}

extension LocalFile {
    /// Expects the file to have `bytes`.
    fileprivate func checkReadable(_ bytes: [UInt8]) throws {
        let found = try read(at: 0, size: bytes.count)
        withExtendedLifetime(found) { #expect(found.view.copied == bytes) }
    }
}
