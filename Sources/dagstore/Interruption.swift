internal import DAGStorage
internal import DAGSystem
internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// How SIGINT and SIGTERM end the program: with nothing half written, and a status for it.
///
/// The signals come as events on a queue of their own, so that no code runs inside a handler. A
/// store needs no goodbye: what it has not answered yet is gone at its next opening.
enum Interruption {
    private struct Leftovers {
        var temporaryFile: FilePath?
        var bar: ProgressBar?
    }

    private static let leftovers = Mutex(Leftovers())

    /// Sets the signals up, and waits until none can be missed.
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
        _ body: @escaping @Sendable () -> Never,
        _ ready: CheckedContinuation<Void, Never>
    ) {
        let queue = DispatchQueue(label: "dagstore.signals")
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            // The handler keeps the source, and so the source itself.
            withExtendedLifetime(source) {}
            body()
        }
        source.setRegistrationHandler { ready.resume() }
        source.activate()
    }

    /// The file to remove if the program is interrupted now, or nil.
    static func setTemporaryFile(_ path: FilePath?) {
        leftovers.withLock { $0.temporaryFile = path }
    }

    /// The bar to wipe if the program is interrupted now, or nil.
    static func setBar(_ bar: ProgressBar?) {
        leftovers.withLock { $0.bar = bar }
    }

    private static func end(_ signal: String, _ format: OutputFormat) -> Never {
        let (file, bar) = leftovers.withLock { ($0.temporaryFile, $0.bar) }
        if let file { Kernel.remove(file) }
        bar?.finish()
        let report = ErrorReport(code: .cancelled, "interrupted by \(signal)")
        report.write(format)
        // Other threads are at work: nothing of theirs is torn down under them.
        _exit(report.exitStatus)
    }
}
