internal import Dispatch
internal import SharedReads

extension StoreEngine {
    /// Runs `body` on the loop's thread, between two of its commits, and waits for it.
    ///
    /// What changes records or the newest entries of the inverse index and is no event of a shard's is done so: both
    /// have one writer.
    ///
    /// - Throws: `closed`, and what `body` throws.
    func onLoop<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
        let box = ResultBox<R>()
        let bell = DispatchSemaphore(value: 0)
        let letter = Letter.perform {
            box.result.withLock { $0 = Result { try body() } }
            bell.signal()
        }
        guard loop.post(letter) else { throw DAGStoreError.storeIsClosed }
        bell.wait()
        guard let result = box.result.withLock({ $0 }) else {
            preconditionFailure("the loop has answered without an answer")
        }
        return try result.get()
    }
}

/// Where the loop leaves what came of some work.
private final class ResultBox<R: Sendable>: Sendable {
    let result = Lock<Result<R, any Error>?>(nil)
}
