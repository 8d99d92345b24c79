internal import ArgumentParser
internal import DAGStorage

/// `compact`: gives room back that what was removed has left.
struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the catalogue anew, without the room that removed shards have left.",
        discussion: "Nobody may have the store open, and the disk needs room for the new catalogue."
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let start = ContinuousClock.now
        let report = try store.compact()
        let time = ContinuousClock.now - start
        try Output.run(format.format) { output in
            switch format.format {
            case .text:
                let before = report.bytesBefore.asSize
                try output.line("\(before) became \(report.bytesAfter.asSize), \(time.asTime)")
            case .json:
                try output.object { json in
                    json.member("bytesBefore", report.bytesBefore)
                    json.member("bytesAfter", report.bytesAfter)
                    json.member("seconds", time)
                }
            }
        }
    }
}
