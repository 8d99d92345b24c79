internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `list`: lists the shards of a store.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the shards in order of registration, one a line."
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let store = try store.openForReading()
        try Output.run(format.format) { output in
            switch format.format {
            case .json:
                try store.forEachStatus { status in
                    try output.object { json in status.write(to: &json) }
                }
            case .text:
                var table = Table([
                    .text("KEY"), .number("BLOCKS"), .number("SIZE"), .text("STATE"),
                    .text("MOUNT"),
                ])
                // Reads the shards twice, so that a million of them take no memory.
                try store.forEachStatus { table.measure($0.row) }
                try output.heading(of: table)
                try store.forEachStatus { try output.line(table.line($0.row)) }
            }
        }
    }
}

extension DAGStore {
    /// Calls `body` with the status of every shard, in order of registration.
    ///
    /// - Throws: The errors of `body` and of the store.
    func forEachStatus(_ body: (ShardStatus) throws -> Void) throws {
        var iterator = statuses().makeIterator()
        while let status = try iterator.next() { try body(status) }
    }
}

extension ShardStatus {
    fileprivate var row: [String] {
        let cause = error.map { " (\($0.code.name))" } ?? ""
        let numbers = [blockCount.grouped, payloadSize.asSize]
        return [key.text.printable] + numbers + [state.rawValue + cause, mountURL]
    }
}
