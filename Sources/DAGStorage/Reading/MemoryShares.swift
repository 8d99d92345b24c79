internal import DAGBytes
internal import SharedReads

/// The bytes of a shard in memory, with one share for each stripe of threads.
///
/// A block retains the share of the thread that reads it. Threads that retained the memory itself would all write its
/// reference count. A thread that releases another thread's block writes that thread's share.
///
/// *Concurrency*: immutable; any thread.
struct MemoryShares: Sendable {
    /// The payload of the CAR; valid while a share lives.
    let payload: ByteView
    /// Whether the bytes belong to a mapped file; truncating the file removes them.
    let isMapped: Bool
    /// The shares, one for each stripe.
    let row: BorrowedRow<MemoryShare>

    /// Creates the shares in `memory`.
    ///
    /// - Parameters:
    ///   - memory: The object that keeps the payload alive.
    ///   - payload: The payload.
    ///   - isMapped: Whether `memory` is a mapped file.
    init(_ memory: any AnyObject & Sendable, payload: ByteView, isMapped: Bool) {
        self.payload = payload
        self.isMapped = isMapped
        row = BorrowedRow((0..<Stripe.count).map { _ in MemoryShare(memory, isMapped: isMapped) })
    }
}

/// A thread's share in the bytes of a shard.
///
/// Padded, so that the reference counts of two shares lie at least 128 bytes apart.
final class MemoryShare: Sendable {
    private let memory: any AnyObject & Sendable
    let isMapped: Bool
    private let padding = InlineArray<28, UInt64>(repeating: 0)

    init(_ memory: any AnyObject & Sendable, isMapped: Bool) {
        self.memory = memory
        self.isMapped = isMapped
    }
}
