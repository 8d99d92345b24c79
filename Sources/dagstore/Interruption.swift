internal import DAGStorage
internal import DAGSystem
internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// Ends the program at SIGINT and SIGTERM, without half-written files and with exit status 7.
///
/// A queue delivers the signals as events, so no code runs inside a signal handler. The store needs no
/// closing: its next opening discards unfinished writes.
enum Interruption {
    private struct Leftovers {
        var temporaryFile: FilePath?
        var bar: ProgressBar?
        /// Whether another part of the program handles the signals.
        var isReleased = false
    }

    private static let leftovers = Mutex(Leftovers())

    /// Starts to listen for the signals; returns when none can be missed.
    @MainActor
    static func prepare(_ format: OutputFormat) async {
        for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
            guard Kernel.ignore(number) else { continue }
            await withCheckedContinuation { ready in
                listen(for: number, { end(name, format) }, ready)
            }
        }
    }

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

    private static func end(_ signal: String, _ format: OutputFormat) {
        let (file, bar, isReleased) = leftovers.withLock {
            ($0.temporaryFile, $0.bar, $0.isReleased)
        }
        guard !isReleased else { return }
        if let file { Kernel.remove(file) }
        bar?.finish()
        let report = ErrorReport(code: .cancelled, "interrupted by \(signal)")
        report.write(format)
        // `_exit`: other threads still run, and static data must outlive them.
        _exit(report.exitStatus)
    }
}
