public import Synchronization

/// A row of flags that threads set once and never clear.
///
/// *Cost*: reading a flag is a load and a test. No thread writes a flag that is set.
///
/// *Concurrency*: any thread.
@safe public final class OnceFlags: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the words are atomic.
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
    /// The number of flags.
    public let count: Int

    /// Creates `count` flags, all clear.
    public init(count: Int) {
        self.count = count
        // SAFETY: the loop initializes each allocated word once.
        unsafe words = .allocate(capacity: Self.wordCount(count))
        for index in 0..<Self.wordCount(count) { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    private static func wordCount(_ count: Int) -> Int { (count + 63) / 64 }

    deinit {
        // SAFETY: `init` initialized all words.
        unsafe words.deinitialize(count: Self.wordCount(count))
        unsafe words.deallocate()
    }

    /// Returns whether a thread has set flag `index`.
    @inlinable
    public func isSet(_ index: Int) -> Bool {
        precondition(index >= 0 && index < count, "a flag outside the row")
        // SAFETY: the precondition keeps the flag's word inside the row.
        let word = unsafe words[index >> 6].load(ordering: .acquiring)
        return word & 1 << UInt64(index & 63) != 0
    }

    /// Sets flag `index`.
    public func set(_ index: Int) {
        precondition(index >= 0 && index < count, "a flag outside the row")
        // SAFETY: the precondition keeps the flag's word inside the row.
        _ = unsafe words[index >> 6].bitwiseOr(1 << UInt64(index & 63), ordering: .releasing)
    }
}
