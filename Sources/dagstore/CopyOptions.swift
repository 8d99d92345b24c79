internal import ArgumentParser
internal import DAGStorage
internal import Synchronization

/// `--rate`, `--min-free` and `--progress` of verbs that copy a catalog.
struct CopyOptions: ParsableArguments {
    /// A rate, as people write it.
    struct Rate: ExpressibleByArgument {
        /// Bytes a second; `nil` for no bound.
        let value: UInt64?

        init?(argument: String) {
            guard argument != "none" else {
                value = nil
                return
            }
            guard let count = ByteCount(argument: argument), count.value >= BackupOptions.rateMin
            else { return nil }
            value = count.value
        }
    }

    @Option(
        help: ArgumentHelp(
            "The bytes to read in a second, from 1MiB, or none for no bound. Default: 100MiB.",
            valueName: "bytes|none"
        )
    )
    var rate: Rate?

    @Option(
        help: ArgumentHelp(
            "End the copy if a file system would have fewer free bytes. Default: 256MiB.",
            valueName: "bytes"
        )
    )
    var minFree: ByteCount?

    @OptionGroup var progress: ProgressOptions

    private var options: BackupOptions {
        var options = BackupOptions()
        if let rate { options.bytesPerSecond = rate.value }
        if let minFree { options.freeBytesMin = minFree.value }
        return options
    }

    /// Runs a copy, which ends and removes what it wrote at the first signal.
    ///
    /// - Parameters:
    ///   - label: The label of the bar.
    ///   - body: The copy; it calls the function with its progress.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`; `cancelled` after a signal.
    func run<R>(
        _ label: String,
        _ body: (BackupOptions, (UInt64, UInt64) throws -> Void) throws -> R
    ) throws -> R {
        let bar = ProgressBar(progress.progress, label)
        let signals = SignalNames()
        Interruption.setCancellation { signals.set($0) }
        defer {
            Interruption.setCancellation(nil)
            bar.finish()
        }
        do {
            return try body(options) { done, total in
                if let signal = signals.name {
                    throw DAGStoreError(.cancelled, "interrupted by \(signal)")
                }
                bar.update(done, of: total)
            }
        } catch let error as DAGStoreError where error.code == .catalogFull {
            throw error.withAdvice("free disk space, or lower --min-free, then try again")
        } catch let error as DAGStoreError
            where error.code == .invalidArgument && error.advice == nil
        {
            throw error.withAdvice("name a new folder, or see '\(Advice.verb) --help'")
        }
    }
}

/// The signal that interrupts a verb.
private final class SignalNames: Sendable {
    private let state = Mutex<String?>(nil)

    /// The signal's name, if there was one.
    var name: String? { state.withLock { $0 } }

    func set(_ name: String) { state.withLock { $0 = name } }
}

extension DAGStoreError {
    /// Returns the error with a next step of its own.
    fileprivate func withAdvice(_ advice: String) -> DAGStoreError {
        var error = self
        error.advice = advice
        return error
    }
}
