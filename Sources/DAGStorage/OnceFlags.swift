internal import Synchronization

/// A row of flags that are set once and never cleared.
///
/// *Cost*: looking at a flag is a load and a test.
///
/// *Concurrency*: any thread.
final class OnceFlags: Sendable {
    private final class Word: Sendable {
        let bits = Atomic<UInt64>(0)
    }

    private let words: [Word]

    /// `count` flags, none of them set.
    init(count: Int) { words = (0..<(count + 63) / 64).map { _ in Word() } }

    /// Whether flag `index` was set.
    func isSet(_ index: Int) -> Bool {
        words[index >> 6].bits.load(ordering: .relaxed) & 1 << UInt64(index & 63) != 0
    }

    /// Sets flag `index`.
    func set(_ index: Int) {
        words[index >> 6].bits.bitwiseOr(1 << UInt64(index & 63), ordering: .relaxed)
    }
}
