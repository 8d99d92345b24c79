internal import CDAGSystem
internal import Dispatch

/// Runs actions when the readings have ended that may still use an object.
///
/// The caller first takes the object out of the table or reference that led to it. The reclaimer then issues one barrier
/// for all waiting actions, finds the readings of each mark, and runs an action when these have ended. It does not wait
/// for readings that begin later: they cannot find the object.
///
/// Actions of one mark run one after the other, in the order in which they came. A reader or an action that hangs holds
/// up its own mark only.
///
/// *Concurrency*: any thread. There is one reclaimer in a process, because there is one record for each thread.
public enum Reclaimer {
    private static let core = ReclaimerCore()

    /// Runs `action` when all readings of `mark` that are under way have ended.
    public static func after(readersOf mark: ReadMark, _ action: @escaping @Sendable () -> Void) {
        core.add(mark, action)
    }

    /// Keeps `object` until all readings of `mark` that are under way have ended.
    public static func retire<Object: AnyObject & Sendable>(_ object: Object, _ mark: ReadMark) {
        after(readersOf: mark) { withExtendedLifetime(object) {} }
    }

    /// Waits until all earlier actions under `mark` have run; blocks the thread.
    ///
    /// A reader of the mark and an action under it must not call this.
    public static func drain(_ mark: ReadMark) {
        let bell = DispatchSemaphore(value: 0)
        after(readersOf: mark) { bell.signal() }
        bell.wait()
    }

    /// Waits until all earlier actions under `mark` have run.
    public static func drained(_ mark: ReadMark) async {
        await withCheckedContinuation { continuation in
            after(readersOf: mark) { continuation.resume() }
        }
    }

    /// Whether a thread reads what `mark` names; a reading that begins during the call may be missed.
    ///
    /// *Cost*: a barrier on every running thread of the process, some microseconds.
    public static func isRead(_ mark: ReadMark) -> Bool {
        dagstore_readers_barrier()
        return dagstore_readers_find(mark.word, nil, 0) > 0
    }
}
