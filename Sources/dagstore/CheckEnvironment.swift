internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

extension Check {
    /// Checks the machine, the process and the store's place, and prints the findings.
    func checkEnvironment(_ start: ContinuousClock.Instant) throws {
        let report = DAGStore.checkEnvironment(
            of: try store.directory,
            mapSize: try store.mapSize
        )
        try Output.run(format.format) { output in
            var list = RowList([.text("NAME"), .text("VALUE"), .text("VERDICT"), .text("ADVICE")])
            for finding in report.findings { list.table.measure(Self.row(finding)) }
            for finding in report.findings { try Self.write(finding, &list, to: &output) }
            try Self.write(report, ContinuousClock.now - start, to: &output)
        }
        guard report.isSound else { throw ExitCode(6) }
    }

    /// The names of findings that are sizes in bytes.
    private static let sizes: Set = ["freeSpace", "fileSize", "mapSize", "room"]

    private static func row(_ finding: EnvironmentFinding) -> [String] {
        var value = finding.value
        if let number = UInt64(value) {
            switch finding.name {
            case "clock": value = number.asTimestamp
            case let name where sizes.contains(name): value = number.asSize
            default: value = number.grouped
            }
        }
        return [finding.name, value, finding.verdict.rawValue, finding.advice ?? ""]
    }

    private static func write(
        _ finding: EnvironmentFinding,
        _ list: inout RowList,
        to output: inout Output
    ) throws {
        switch output.format {
        case .text: try output.row(row(finding), of: &list)
        case .json:
            try output.object { json in
                json.member("name", finding.name)
                json.member("value", finding.name == "clock" ? row(finding)[1] : finding.value)
                json.member("verdict", finding.verdict.rawValue)
                json.member("advice", finding.advice)
            }
        }
    }

    private static func write(
        _ report: EnvironmentReport,
        _ time: Duration,
        to output: inout Output
    ) throws {
        let warnings = report.findings.count { $0.verdict == .warning }
        let problems = report.findings.count { $0.verdict == .problem }
        switch output.format {
        case .text:
            let found = problems == 0 ? "no problems" : problems.counted("problem", "problems")
            let rest = warnings.counted("warning", "warnings")
            try output.line("\(found), \(rest), \(time.asTime)")
        case .json:
            try output.object { json in
                json.member("findings", report.findings.count)
                json.member("warnings", warnings)
                json.member("problems", problems)
                json.member("seconds", time)
            }
        }
    }
}
