internal import CDAGSystem
public import Synchronization

/// A count in parts, so that threads change it without shared writes.
///
/// ```
/// threads  0 16 32 …    1 17 33 …    2 18 34 …         15 31 47 …
///             │            │            │                  │
///         ┌───▼───┐    ┌───▼───┐    ┌───▼───┐          ┌───▼───┐
///         │   3   │    │  -1   │    │   0   │    …     │   1   │     sum: the count
///         └───────┘    └───────┘    └───────┘          └───────┘
///         128 bytes apart, as many as processors, at most 64
/// ```
///
/// A thread adds to the stripe of its number. One thread may subtract what another added, so a single stripe may be
/// negative.
///
/// *Cost*: a change is one atomic addition to a cache line. No other thread writes that line while there are at most
/// as many busy threads as processors. A sum reads all stripes.
///
/// *Concurrency*: any thread. All operations are sequentially consistent, because `LeaseGate` needs it.
@safe public struct StripedCount: ~Copyable, @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the memory is atomic, and lives as long as the count.
    @usableFromInline let start: UnsafeMutableRawPointer
    @usableFromInline static var stripeSize: Int { 128 }
    @usableFromInline let mask: Int

    /// Creates a count of zero.
    public init() {
        let count = Stripe.count
        mask = count - 1
        // SAFETY: each stripe lies inside the allocated memory, and is initialized once.
        unsafe start = .allocate(byteCount: count * Self.stripeSize, alignment: Self.stripeSize)
        for index in 0..<count {
            let place = unsafe start + index * Self.stripeSize
            unsafe place.bindMemory(to: Atomic<Int>.self, capacity: 1).initialize(to: Atomic(0))
        }
    }

    deinit {
        // SAFETY: `init` allocated the memory, and its words need no deinitialization.
        unsafe start.deallocate()
    }

    @inlinable
    @inline(__always)
    func stripe(_ index: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        // SAFETY: the mask keeps the index inside the memory, and `init` initialized all stripes.
        unsafe (start + (index & mask) * Self.stripeSize).assumingMemoryBound(to: Atomic<Int>.self)
    }

    /// Adds to the calling thread's stripe.
    @inlinable
    @inline(__always)
    public func add(_ change: Int) {
        // SAFETY: `stripe` keeps the index inside the memory, which lives as long as this count.
        unsafe stripe(Reading.threadNumber).pointee
            .wrappingAdd(change, ordering: .sequentiallyConsistent)
    }

    /// The sum of all stripes.
    ///
    /// It counts every change that came before the call, and some of the changes that come during it.
    public var sum: Int {
        var sum = 0
        for index in 0...mask {
            // SAFETY: `stripe` keeps the index inside the memory, which lives as long as this count.
            unsafe sum += stripe(index).pointee.load(ordering: .sequentiallyConsistent)
        }
        return sum
    }
}

/// The number of parts of counts and rows, one for each busy thread.
public enum Stripe {
    /// The number of stripes: a power of two, at least the number of processors, at most 64.
    public static let count = dagstore_stripe_count()

    /// Returns the number of the calling thread's stripe.
    @inlinable
    @inline(__always)
    public static func own(of count: Int) -> Int { Reading.threadNumber & (count &- 1) }
}
