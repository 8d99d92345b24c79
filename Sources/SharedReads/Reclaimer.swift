internal import CDAGSystem
internal import Dispatch

/// Runs actions after the end of the readings that may still use an object.
///
/// The caller first removes the object from the table or reference that led to it. The reclaimer then issues one
/// barrier for all waiting actions, finds the readings of each mark, and runs an action when these have ended. It
/// ignores readings that begin later: they cannot find the object.
///
/// Actions of one mark run one after the other, in the order of their calls. A reader or an action that hangs delays
/// its own mark only.
///
/// *Concurrency*: any thread. A process has one reclaimer, because each thread has one record.
public enum Reclaimer {
    private static let core = ReclaimerCore()

    /// Runs `action` after the end of all readings of `mark` that run now.
    public static func after(readersOf mark: ReadMark, _ action: @escaping @Sendable () -> Void) {
        core.add(mark, action)
    }

    /// Keeps `object` until the end of all readings of `mark` that run now.
    public static func retire<Object: AnyObject & Sendable>(_ object: Object, _ mark: ReadMark) {
        after(readersOf: mark) { withExtendedLifetime(object) {} }
    }

    /// Waits until all earlier actions of `mark` have run; blocks the thread.
    ///
    /// A reader of the mark and an action of it must not call this.
    public static func drain(_ mark: ReadMark) {
        let bell = DispatchSemaphore(value: 0)
        after(readersOf: mark) { bell.signal() }
        bell.wait()
    }

    /// Waits until all earlier actions of `mark` have run.
    public static func drained(_ mark: ReadMark) async {
        await withCheckedContinuation { continuation in
            after(readersOf: mark) { continuation.resume() }
        }
    }

    /// Returns whether a thread reads under `mark`; it may miss a reading that begins during the call.
    ///
    /// *Cost*: a barrier on every running thread of the process, some microseconds.
    public static func isRead(_ mark: ReadMark) -> Bool {
        dagstore_readers_barrier()
        return dagstore_readers_find(mark.word, nil, 0) > 0
    }
}
