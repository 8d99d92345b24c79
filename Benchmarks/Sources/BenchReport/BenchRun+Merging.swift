extension BenchRun {
    /// Merges runs.
    ///
    /// Of figures with the same name, system and place the one of the later run wins. Each figure keeps its origin.
    /// The result drops origins without figures, and skipped work that another run did.
    ///
    /// - Parameter runs: The runs, the winning one last; at least one.
    /// - Returns: One run with the figures of all.
    public static func merging(_ runs: [BenchRun]) -> BenchRun {
        precondition(!runs.isEmpty, "there is nothing to merge")
        guard runs.count > 1 else { return runs[0] }
        let figures = runs.flatMap(\.figures).merged()
        let all = unique(runs.flatMap(\.origins))
        let measured = Set(figures.map(\.origin))
        let used = all.filter(measured.contains)
        let done = Set(figures.map { Work(workload: $0.workload, system: $0.system) })
        let skipped = unique(runs.flatMap(\.skipped)).filter { skip in
            guard let system = skip.system else { return true }
            return !done.contains(Work(workload: skip.workload, system: system))
        }
        let seconds = runs.compactMap(\.seconds)
        return BenchRun(
            origins: used.isEmpty ? all : used,
            datasets: unique(runs.flatMap(\.datasets)),
            figures: figures,
            skipped: skipped,
            busy: unique(runs.flatMap(\.busy)).filter { measured.contains($0.origin) },
            isComplete: runs.allSatisfy(\.isComplete),
            seconds: seconds.count == runs.count ? seconds.reduce(0, +) : nil
        )
    }

    private struct Work: Hashable {
        let workload: String
        let system: String
    }
}
