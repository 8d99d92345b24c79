internal import SharedReads
internal import Synchronization

/// Carries an answer to a thread that waits for it.
final class AnswerBox: Sendable {
    private let content = Lock<Result<Ask.Answer, DAGStoreError>?>(nil)

    /// The answer, once it is there.
    var result: Result<Ask.Answer, DAGStoreError>? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}
