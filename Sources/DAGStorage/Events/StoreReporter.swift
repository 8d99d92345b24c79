/// Tells the store's observer what happens, if there is one.
///
/// *Concurrency*: any thread. *Cost*: without an observer, a comparison.
struct StoreReporter: Sendable {
    /// The time from which on a commit is slow.
    static let slowCommit = Duration.seconds(1)

    let observer: (any StoreObserver)?

    /// What the catalog calls after each write transaction; nil without an observer.
    var commits: (@Sendable (_ duration: Duration, _ isSuccess: Bool) -> Void)? {
        guard let observer else { return nil }
        return { duration, isSuccess in
            observer.receive(
                StoreMeasurement(kind: .commit, duration: duration, isSuccess: isSuccess)
            )
            if isSuccess, duration < Self.slowCommit { return }
            observer.receive(
                StoreLogLine(
                    level: isSuccess ? .warning : .error,
                    message: isSuccess ? "A commit was slow" : "A commit failed",
                    key: nil,
                    details: [.init(name: "duration", value: "\(duration)")]
                )
            )
        }
    }

    /// Reports the end of a job.
    func ended(_ job: ShardJob, _ outcome: JobOutcome) {
        guard let observer else { return }
        let isSuccess =
            switch outcome {
            case .indexed, .opened, .found: true
            case .failed, .abandoned: false
            }
        observer.receive(
            StoreMeasurement(
                kind: job.isOpening ? .opening : .indexing,
                duration: ContinuousClock.now - job.start,
                isSuccess: isSuccess
            )
        )
    }

    /// Measures `body`.
    func measure<R>(_ kind: StoreMeasurement.Kind, _ body: () throws -> R) rethrows -> R {
        guard let observer else { return try body() }
        let start = ContinuousClock.now
        var isSuccess = false
        defer {
            let duration = ContinuousClock.now - start
            observer.receive(
                StoreMeasurement(kind: kind, duration: duration, isSuccess: isSuccess)
            )
        }
        let result = try body()
        isSuccess = true
        return result
    }

    /// Writes a line to the log.
    func log(
        _ level: StoreLogLine.Level,
        _ message: String,
        _ key: ShardKey? = nil,
        _ error: DAGStoreError? = nil
    ) {
        guard let observer else { return }
        var details: [StoreLogLine.Detail] = []
        if let error {
            details = [
                .init(name: "code", value: error.code.name),
                .init(name: "error", value: error.message),
            ]
        }
        observer.receive(StoreLogLine(level: level, message: message, key: key, details: details))
    }
}
