public import CDAGSystem
internal import Synchronization

/// A name for memory that one thread may free while others read it.
///
/// *Shape*: bits 28...31 the kind, bits 0...27 a number. `unique()` makes marks of kind 15; 0 is no mark.
public struct ReadMark: Hashable, Sendable {
    /// The kind of marks that `unique()` makes.
    public static let uniqueKind: UInt32 = 15

    /// The mark as a thread's record has it; never zero.
    public let word: UInt32

    /// Creates a mark of one of the kinds 1 to 14.
    ///
    /// - Parameters:
    ///   - kind: The kind.
    ///   - number: A number below 2^28.
    @inlinable public init(kind: UInt32, number: UInt32) { word = kind << 28 | number }

    private static let last = Atomic<UInt32>(0)

    /// Returns a new mark; after 2^28 calls the marks repeat.
    ///
    /// Two owners of one mark are safe: each also waits for the other's readers.
    public static func unique() -> ReadMark {
        let number = last.add(1, ordering: .relaxed).newValue
        return ReadMark(kind: uniqueKind, number: number & 0xfff_ffff)
    }
}

/// A stretch of code that reads memory which another thread may free.
///
/// Between `begin` and `end` the reclaimer frees nothing that the thread may have found under the mark. A reading
/// stays on its thread, contains no `await`, and is short, because the reclaimer waits for it.
///
/// *Cost*: two stores to memory of the calling thread; no lock, no atomic read-modify-write.
public enum Reading {
    /// Begins to read.
    ///
    /// `end` ends it on the same thread. Readings nest.
    @inlinable
    @inline(__always)
    public static func begin(_ mark: ReadMark) { dagstore_reader_begin(mark.word) }

    /// Ends the reading that this thread began last.
    @inlinable
    @inline(__always)
    public static func end() { dagstore_reader_end() }

    /// The number of the calling thread's record.
    @inlinable
    @inline(__always)
    static var threadNumber: Int { Int(dagstore_reader_number()) }
}

/// A place in a walk, remembered by each thread for itself.
///
/// A place is a hint: a thread remembers eight walks and forgets others.
///
/// *Concurrency*: any thread; each has memory of its own.
public struct ThreadPlace: Sendable {
    @usableFromInline let owner: UInt64

    private static let last = Atomic<UInt64>(0)

    /// Creates a place that differs from all others.
    public init() { owner = Self.last.add(1, ordering: .relaxed).newValue }

    /// The value that this thread stored last; 0 if it stored none or has forgotten it.
    @inlinable public var value: UInt64 {
        @inline(__always) get { dagstore_reader_recall(owner) }
        @inline(__always) nonmutating set { dagstore_reader_remember(owner, newValue) }
    }
}

/// A clock as precise as the machine's tick.
public enum CoarseClock {
    /// Nanoseconds since the machine started; the same scale as `DispatchTime`, up to 10 ms behind.
    public static var now: UInt64 { dagstore_coarse_time() }
}
