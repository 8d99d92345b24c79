#if DAGSTORE_FAILPOINTS
    internal import DAGSystem
    internal import Synchronization
#endif

/// A place where a test may end the process, as a power cut would: before or after a step that lasts.
///
/// In debug builds `DAGSTORE_FAILPOINT=name` kills the process at the first passage of that place, and
/// `DAGSTORE_FAILPOINT=name:3` at the third. Release builds have no failpoints.
package enum Failpoint: String, CaseIterable, Sendable {
    /// The loop has decided, and nothing of its batch is on disk.
    case beforeCommit
    /// The batch is on disk, and the loop has answered no caller.
    case afterCommit
    /// Some pieces of an index are on disk, and no record names them.
    case pieceBatchWritten
    /// An index is complete, and its publication was not decided yet.
    case indexBuilt
    /// A copy has its file, and no byte.
    case partialCreated
    /// A copy is whole in the page cache.
    case partialWritten
    /// A copy is whole on disk, under its passing name.
    case partialSynced
    /// A copy has its last name, and the folder was not flushed.
    case copyRenamed
    /// A copy is whole on disk under its last name.
    case copyComplete
    /// A copy lost its name.
    case copyRemoved
    /// A generation was deleted in part.
    case generationPartlyDeleted
    /// A generation was deleted.
    case generationDeleted
    /// The newest entries of the inverse index are a run.
    case runPublished
    /// Some segments of a merge's result are on disk.
    case mergeBatchWritten
    /// A merge's result is in the place of its runs.
    case mergePublished
    /// A run was deleted in part.
    case runPartlyDeleted
    /// The catalogue was copied, and the copy has a passing name.
    case compactCopied
    /// The copy took the catalogue's place.
    case compactRenamed
    /// The files of a store were opened, and nothing was taken up.
    case opened
    /// The rows of this format are written, and not committed.
    case formatWritten
    /// A catalogue of an earlier format has become one of this.
    case formatUpgraded

    /// Ends the process here, if it was asked to.
    ///
    /// *Cost*: in release builds none.
    @inline(__always)
    package func pass() {
        #if DAGSTORE_FAILPOINTS
            FailpointPlan.current.pass(self)
        #endif
    }

    /// Has the process end at this place, as `DAGSTORE_FAILPOINT` does; nothing in release builds.
    ///
    /// - Parameter passage: At which passage from now on.
    package func arm(passage: Int = 1) {
        #if DAGSTORE_FAILPOINTS
            FailpointPlan.current.arm(self, passage)
        #endif
    }
}

#if DAGSTORE_FAILPOINTS
    /// Where the process is to end.
    private final class FailpointPlan: Sendable {
        static let current = FailpointPlan()

        private struct State {
            var point: Failpoint?
            var passagesLeft = 0
        }

        private let state: Mutex<State>

        init() {
            let text = ThisProcess.environmentVariable("DAGSTORE_FAILPOINT") ?? ""
            let parts = text.split(separator: ":", maxSplits: 1)
            let point = parts.first.flatMap { Failpoint(rawValue: String($0)) }
            precondition(text.isEmpty || point != nil, "DAGSTORE_FAILPOINT names no failpoint")
            let passages = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
            state = Mutex(State(point: point, passagesLeft: passages))
        }

        func arm(_ point: Failpoint, _ passage: Int) {
            state.withLock { $0 = State(point: point, passagesLeft: passage) }
        }

        func pass(_ passed: Failpoint) {
            let isEnd = state.withLock { state in
                guard state.point == passed else { return false }
                state.passagesLeft -= 1
                return state.passagesLeft == 0
            }
            guard isEnd else { return }
            kill(ThisProcess.number, SIGKILL)
            // The signal comes before the next instruction of this thread; another thread may go on.
            while true { pause() }
        }
    }
#endif
