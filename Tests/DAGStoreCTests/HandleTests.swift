import CDAGStore
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

/// The object of a handle, which counts its instances.
private final class Thing: Sendable {
    static let live = Atomic<Int>(0)
    init() { Self.live.add(1, ordering: .relaxed) }
    deinit { Self.live.subtract(1, ordering: .relaxed) }
}

@Suite("Handles", .serialized)
struct HandleTests {
    @Test("a handle is valid for its kind until it is given back")
    func life() throws {
        let handle = unsafe try #require(unsafe HandleTable.add(.car, Thing()))
        #expect(HandleTable.with(handle, .car, as: Thing.self) { _ in true } == true)
        #expect(HandleTable.with(handle, .shard, as: Thing.self) { _ in true } == nil)
        for bit in 0..<64 {
            let other = unsafe OpaquePointer(bitPattern: UInt(bitPattern: handle) ^ 1 << UInt(bit))
            #expect(HandleTable.with(other, .car, as: Thing.self) { _ in true } == nil)
        }
        #expect(HandleTable.remove(handle, .car, as: Thing.self) == true)
        #expect(HandleTable.remove(handle, .car, as: Thing.self) == false)
        #expect(HandleTable.with(handle, .car, as: Thing.self) { _ in true } == nil)
        let next = unsafe try #require(unsafe HandleTable.add(.car, Thing()))
        #expect(unsafe next != handle)
        #expect(HandleTable.remove(next, .car, as: Thing.self) == true)
        #expect(Thing.live.load(ordering: .relaxed) == 0)
    }

    @Test("the object of a handle lives until the last call that uses it ends")
    func removedInUse() throws {
        let handle = unsafe try #require(unsafe HandleTable.add(.car, Thing()))
        HandleTable.with(handle, .car, as: Thing.self) { _ in
            #expect(HandleTable.remove(handle, .car, as: Thing.self) == true)
            #expect(Thing.live.load(ordering: .relaxed) == 1)
        }
        #expect(Thing.live.load(ordering: .relaxed) == 0)
    }

    @Test("threads that share handles never see a released object")
    func manyThreads() {
        let shared = (0..<16).map { _ in Atomic64() }
        let wrong = Atomic64()
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var generator = SplitMix64(seed: UInt64(thread))
            for _ in 0..<20_000 {
                let place = shared[Int(generator.next() % 16)]
                let handle = unsafe place.handle
                switch generator.next() % 3 {
                case 0:
                    let new = unsafe HandleTable.add(.car, Thing())
                    let old = place.value.exchange(
                        UInt64(UInt(bitPattern: new)),
                        ordering: .acquiringAndReleasing
                    )
                    unsafe HandleTable.remove(
                        OpaquePointer(bitPattern: UInt(old)),
                        .car,
                        as: Thing.self
                    )
                case 1:
                    HandleTable.remove(handle, .car, as: Thing.self)
                default:
                    HandleTable.with(handle, .car, as: Thing.self) { thing in
                        if Thing.live.load(ordering: .relaxed) < 1 {
                            wrong.value.add(1, ordering: .relaxed)
                        }
                        withExtendedLifetime(thing) {}
                    }
                }
            }
        }
        for place in shared {
            let handle = unsafe place.handle
            HandleTable.remove(handle, .car, as: Thing.self)
        }
        #expect(wrong.value.load(ordering: .relaxed) == 0)
        #expect(Thing.live.load(ordering: .relaxed) == 0)
    }
}

/// An atomic that can be in an array.
private final class Atomic64: Sendable {
    let value = Atomic<UInt64>(0)

    /// The number as a handle.
    var handle: OpaquePointer? {
        unsafe OpaquePointer(bitPattern: UInt(value.load(ordering: .relaxed)))
    }
}
