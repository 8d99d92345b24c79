internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `gc`: removes the store's own copies of CARs that are not in use.
struct CollectGarbage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove the store's copies of CARs; the store fetches them again when needed.",
        discussion: "Keeps the copies that were given with --existing-transient."
    )

    @Option(
        help: ArgumentHelp(
            "The size of copies to keep, in bytes or as 10KiB, 10MiB, 10GiB or 10TiB. Default: 0.",
            valueName: "bytes"
        )
    )
    var quota: ByteCount?

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let store = try store.openForWriting(isNewAllowed: false)
        let report = try await store.collectGarbage(downTo: quota?.value)
        await StoreOptions.close(store)
        try Output.run(format.format) { output in
            var list = RowList([.text("KEY"), .text("RESULT"), .number("SIZE")])
            for copy in report.transients { list.table.measure(Self.row(copy)) }
            for copy in report.transients { try Self.write(copy, &list, to: &output) }
            let removed = report.transients.count { $0.result == .removed }
            switch format.format {
            case .text:
                let size = report.bytesRemoved.asSize
                try output.line("\(removed.counted("copy", "copies")) removed, \(size)")
            case .json:
                try output.object { json in
                    json.member("removed", UInt64(removed))
                    json.member("bytesRemoved", report.bytesRemoved)
                }
            }
        }
    }

    private static func row(_ copy: CollectedTransient) -> [String] {
        [copy.key?.text ?? "-", copy.result.rawValue, copy.bytes.asSize]
    }

    private static func write(
        _ copy: CollectedTransient,
        _ list: inout RowList,
        to output: inout Output
    ) throws {
        switch output.format {
        case .text: try output.row(row(copy), of: &list)
        case .json:
            try output.object { json in
                json.member("key", copy.key?.text)
                json.member("result", copy.result.rawValue)
                json.member("bytes", copy.bytes)
                json.member("error", copy.error?.code.name)
            }
        }
    }
}

/// A number of bytes, as people write it.
struct ByteCount: ExpressibleByArgument {
    let value: UInt64

    init?(argument: String) {
        let units: [(String, UInt64)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
            // The units of sizes that go to a pipe.
            ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
            ("B", 1),
        ]
        let unit = units.first { argument.hasSuffix($0.0) } ?? ("", 1)
        guard let count = UInt64(argument.dropLast(unit.0.count)) else { return nil }
        let (value, isTooLarge) = count.multipliedReportingOverflow(by: unit.1)
        guard !isTooLarge else { return nil }
        self.value = value
    }
}
