internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage

/// `stats`: shows the counts of a store.
struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the counts and sizes of the store."
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let statistics = try store.openForReading().statistics()
        try Output.run(format.format) { output in
            switch format.format {
            case .text: try output.fields(Self.fields(statistics))
            case .json:
                try output.object { json in
                    json.member("shards", statistics.shards)
                    json.member("available", statistics.available)
                    json.member("failed", statistics.failed)
                    statistics.write(to: &json)
                }
            }
        }
    }

    private static func inverseText(_ inverse: InverseStatistics) -> String {
        let amplification = (inverse.writeAmplification * 10).rounded() / 10
        let runs = inverse.runs.count.counted("run", "runs")
        return "\(inverse.entries.counted("entry", "entries")), \(inverse.bytes.asSize)"
            + "  (\(runs), \(inverse.recentEntries.grouped) recent; written \(amplification) times)"
    }

    private static func fields(_ statistics: Statistics) -> [(name: String, value: String)] {
        let states =
            "\(statistics.available.grouped) available, \(statistics.failed.grouped) failed"
        let used = statistics.catalogUsedBytes.asSize
        let free = statistics.catalogFreeBytes.asSize
        let fields = [
            ("shards", "\(statistics.shards.grouped)  (\(states))"),
            ("blocks", statistics.blocks.grouped),
            ("payload", statistics.payloadBytes.asSize),
            ("index", statistics.indexBytes.asSize),
            ("inverse", inverseText(statistics.inverse)),
            ("catalog", "\(statistics.catalogFileBytes.asSize)  (\(used) used, \(free) free)"),
            ("map", statistics.mapSize.asSize),
        ]
        let traffic = statistics.trafficByScheme.sorted { $0.key < $1.key }
        return fields + traffic.map { ("read \($0)", $1.text) }
    }
}
