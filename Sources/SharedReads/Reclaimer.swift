internal import CDAGSystem
internal import Dispatch

/// Lets things go when the readers that may still see them have ended.
///
/// What is given here can no longer be reached: it was taken out of the table or reference that led to it. The
/// reclaimer issues one barrier for all that waits, finds the readings of each mark, and acts when these have ended.
/// Readings that begin later are not waited for: they cannot see it.
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

    /// Waits until everything that was given here under `mark` is gone; blocks the thread.
    ///
    /// Must be called neither by a reader of the mark nor by an action.
    public static func drain(_ mark: ReadMark) {
        let bell = DispatchSemaphore(value: 0)
        after(readersOf: mark) { bell.signal() }
        bell.wait()
    }

    /// Waits until everything that was given here under `mark` is gone.
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
