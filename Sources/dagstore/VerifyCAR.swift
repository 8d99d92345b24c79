internal import AdminMessages
internal import ArgumentParser
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage

/// `car verify`: verifies a CAR file.
struct VerifyCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hash every block of a CAR file, and compare an embedded index with the sections."
    )

    @Flag(help: "Also follow all links below the roots, and tell which blocks the file lacks.")
    var complete = false

    @OptionGroup var car: CARArgument
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try Output.run(format.format) { output in
            try car.open { file in
                let (found, time) = verify(file)
                // Nothing follows from the links of a file that is no CAR.
                let dag =
                    complete && found.malformation == nil ? try file.completeness() : nil
                switch format.format {
                case .text:
                    try output.fields(
                        fields(found, file.layout.dataSize, time) + (dag.map(Self.fields) ?? [])
                    )
                case .json:
                    try output.object { json in
                        json.member("ok", found.isSound && dag?.isComplete ?? true)
                        json.member("sections", found.sections)
                        json.member("bytes", file.layout.dataSize)
                        json.member("seconds", time)
                        json.member("unverified", found.unverified)
                        json.member("mismatches", found.mismatches)
                        json.member("missingRoots", found.missingRoots.map(\.description))
                        json.member("ignoredBytes", found.ignoredBytes?.count ?? 0)
                        json.member("ignoredOffset", found.ignoredBytes?.offset)
                        guard let dag else { return }
                        json.member("complete", dag.isComplete)
                        json.member("reached", dag.reached)
                        json.member("missingCount", dag.missingCount)
                        json.member("missing", dag.missing.map(\.description))
                        json.member("undecoded", dag.undecoded)
                    }
                }
                let error = found.firstError ?? dag?.firstError
                if let error { throw error.about(FilePath(car.name)) }
            }
        }
    }

    private func verify(_ file: CARFile) -> (CARVerification, Duration) {
        let bar = ProgressBar(progress.progress, car.name)
        defer { bar.finish() }
        let start = ContinuousClock.now
        let size = file.layout.dataSize
        let found = file.verify(workers: JobPool.processorCount) { bar.update($0, of: size) }
        return (found, ContinuousClock.now - start)
    }

    /// How many missing blocks a text lists.
    private static let listedMax = 20

    private static func fields(_ dag: CARCompleteness) -> [(name: String, value: String)] {
        var fields = [("below roots", "\(dag.reached.grouped) blocks")]
        if dag.undecoded > 0 {
            fields.append(("undecoded", "\(dag.undecoded.grouped)  (unknown codec)"))
        }
        if dag.missingCount > 0 { fields.append(("missing", dag.missingCount.grouped)) }
        return fields + dag.missing.prefix(listedMax).map { ("MISSING", $0.briefText) }
    }

    private func fields(
        _ found: CARVerification,
        _ size: UInt64,
        _ time: Duration
    ) -> [(name: String, value: String)] {
        let rate = time.rate(of: size).map { " (\($0.asSize)/s)" } ?? ""
        var fields = [
            ("file", car.name.printable),
            ("result", found.isSound ? "sound" : "NOT SOUND"),
            ("sections", found.sections.grouped),
            ("payload", size.asSize),
            ("time", time.asTime + rate),
        ]
        if found.unverified > 0 {
            let reason = "(unknown hash function or digest under 20 bytes)"
            fields.append(("unverified", "\(found.unverified.grouped)  \(reason)"))
        }
        if let ignored = found.ignoredBytes {
            fields.append(("WARNING", ignored.detail))
        }
        for root in found.missingRoots {
            fields.append(("WARNING", "no section has the root \(root)"))
        }
        if found.mismatches > 0 { fields.append(("mismatches", found.mismatches.grouped)) }
        return fields
    }
}
