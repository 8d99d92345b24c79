internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `compact`: gives the room of removed shards back to the disk.
struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rewrite the catalog without the room that removed shards left.",
        discussion: "No process may have the store open. The disk needs room for the new catalog."
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
