#if DAGSTORE_FAILPOINTS
    internal import DAGSystem
    internal import Synchronization
#endif

/// A place where a test may kill the process, as a power cut would: before or after a durable step.
///
/// In debug builds `DAGSTORE_FAILPOINT=name` kills the process at the first passage of that place, and
/// `DAGSTORE_FAILPOINT=name:3` at the third. Release builds have no failpoints.
package enum Failpoint: String, CaseIterable, Sendable {
    /// The loop has decided; no row of its batch is on disk.
    case beforeCommit
    /// The batch is on disk; the loop has not answered a caller yet.
    case afterCommit
    /// Some values of an index are on disk; no record names them yet.
    case pieceBatchWritten
    /// An index is complete; the loop has not published it yet.
    case indexBuilt
    /// A transient's file exists, and is empty.
    case partialCreated
    /// A transient is complete in the system's cache.
    case partialWritten
    /// A transient is complete on disk, under its temporary name.
    case partialSynced
    /// A transient has its final name; the folder's names are not on disk yet.
    case copyRenamed
    /// A transient is complete on disk under its final name.
    case copyComplete
    /// A transient has lost its name.
    case copyRemoved
    /// A part of a generation is deleted.
    case generationPartlyDeleted
    /// A generation is deleted.
    case generationDeleted
    /// The recent entries of the inverse index have become a run.
    case runPublished
    /// Some segments of a merged run are on disk.
    case mergeBatchWritten
    /// A merged run has replaced its inputs.
    case mergePublished
    /// A part of a run is deleted.
    case runPartlyDeleted
    /// The catalog's copy is complete, under a temporary name.
    case compactCopied
    /// The copy has replaced the catalog.
    case compactRenamed
    /// A part of a backup's catalog is written.
    case backupPartlyCopied
    /// A backup is complete on disk, under its temporary name.
    case backupCopied
    /// A backup has its final name.
    case backupRenamed
    /// A part of a restored catalog is written.
    case restorePartlyCopied
    /// A restored catalog is complete on disk, under its temporary name.
    case restoreCopied
    /// A restored catalog has its final name.
    case restoreRenamed
    /// A part of an entry of a cache of remote ranges is written.
    case cacheEntryTorn
    /// An entry of a cache of remote ranges is written.
    case cacheEntryWritten
    /// The files of a store are open; the store has not resumed any job yet.
    case opened
    /// The rows of the current format are written, and not committed.
    case formatWritten
    /// A catalog of an earlier format has the current one.
    case formatUpgraded

    /// Kills the process, if the environment or `arm` chose this place.
    ///
    /// *Cost*: none in release builds.
    @inline(__always)
    package func pass() {
        #if DAGSTORE_FAILPOINTS
            FailpointPlan.current.pass(self)
        #endif
    }

    /// Chooses this place, as `DAGSTORE_FAILPOINT` does; does nothing in release builds.
    ///
    /// - Parameter passage: The number of the passage that kills the process, counted from now on.
    package func arm(passage: Int = 1) {
        #if DAGSTORE_FAILPOINTS
            FailpointPlan.current.arm(self, passage)
        #endif
    }
}

#if DAGSTORE_FAILPOINTS
    /// The place and passage that kill the process.
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
            precondition(
                text.isEmpty || point != nil,
                "DAGSTORE_FAILPOINT has an unknown failpoint"
            )
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
            // The signal arrives before this thread's next instruction, or while it waits here.
            while true { pause() }
        }
    }
#endif
