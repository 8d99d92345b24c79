import DAGStorage
import Dispatch
import Foundation
import Synchronization

/// Threads that call a function until it throws.
///
/// They are no tasks: a task that never waits would keep others from running.
final class Readers: Sendable {
    private let group = DispatchGroup()
    private let thrown = Mutex<[DAGStoreError]>([])

    /// Starts `count` threads.
    init(count: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
        for number in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                do {
                    while true { try body(number) }
                } catch {
                    thrown.withLock { $0.append(DAGStoreError(any: error)) }
                }
                group.leave()
            }
        }
    }

    /// What ended the threads, when all have ended.
    var errors: [DAGStoreError] {
        get async {
            await withCheckedContinuation { continuation in
                group.notify(queue: .global()) { continuation.resume() }
            }
            return thrown.withLock { $0 }
        }
    }
}
