internal import DAGStorage
internal import DAGSystem
internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// Ends the program at SIGINT, SIGTERM and SIGHUP, without half-written files and with exit status 7.
///
/// A queue delivers the signals as events, so no code runs inside a signal handler. The store needs no
/// closing: its next opening discards unfinished writes.
enum Interruption {
    private struct Leftovers {
        var temporaryFile: FilePath?
        var bar: ProgressBar?
        /// Tells the verb to end its work itself.
        var cancel: (@Sendable (_ signal: String) -> Void)?
        /// Whether another part of the program handles the signals.
        var isReleased = false
        var heedsHangup = false
    }

    private static let leftovers = Mutex(Leftovers())

    /// Starts to listen for the signals; returns when none can be missed.
    @MainActor
    static func prepare(_ format: OutputFormat) async {
        let signals = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")]
        for (number, name) in signals {
            guard Kernel.ignore(number) else { continue }
            if number == SIGHUP { leftovers.withLock { $0.heedsHangup = true } }
            await withCheckedContinuation { ready in
                listen(for: number, { end(name, format) }, ready)
            }
        }
    }

    /// Whether SIGHUP ends the program; `nohup` starts one that ignores it.
    static var heedsHangup: Bool { leftovers.withLock { $0.heedsHangup } }

    private static func listen(
        for number: Int32,
        _ body: @escaping @Sendable () -> Void,
        _ ready: CheckedContinuation<Void, Never>
    ) {
        let queue = DispatchQueue(label: "dagstore.signals")
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            // The handler retains the source, and so keeps it alive.
            withExtendedLifetime(source) {}
            body()
        }
        source.setRegistrationHandler { ready.resume() }
        source.activate()
    }

    /// Leaves the signals that come from now on to another part of the program, which listens for them already.
    static func release() {
        leftovers.withLock { $0.isReleased = true }
    }

    /// Sets the file to remove at an interruption; `nil` for none.
    static func setTemporaryFile(_ path: FilePath?) {
        // A verb for a client ends with its task, and not by a signal.
        guard Console.client == nil else { return }
        leftovers.withLock { $0.temporaryFile = path }
    }

    /// Sets the bar to wipe at an interruption; `nil` for none.
    static func setBar(_ bar: ProgressBar?) {
        guard Console.client == nil else { return }
        leftovers.withLock { $0.bar = bar }
    }

    /// Lets the verb end its work itself at the first signal; the next signal ends the program.
    ///
    /// - Parameter body: Receives the name of the signal; `nil` to end the program at the first signal again.
    static func setCancellation(_ body: (@Sendable (_ signal: String) -> Void)?) {
        leftovers.withLock { $0.cancel = body }
    }

    private static func end(_ signal: String, _ format: OutputFormat) {
        let (file, bar, isReleased, cancel) = leftovers.withLock { leftovers in
            defer { leftovers.cancel = nil }
            return (
                leftovers.temporaryFile, leftovers.bar, leftovers.isReleased, leftovers.cancel
            )
        }
        guard !isReleased else { return }
        if let cancel { return cancel(signal) }
        if let file { Kernel.remove(file) }
        bar?.finish()
        let report = ErrorReport(code: .cancelled, "interrupted by \(signal)")
        report.write(format)
        // `_exit`: other threads still run, and static data must outlive them.
        _exit(report.exitStatus)
    }
}
