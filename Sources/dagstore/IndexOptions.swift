internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR

/// The format of a detached index, and what goes into it.
struct IndexOptions: ParsableArguments {
    /// The two formats of go-car.
    enum Codec: String, ExpressibleByArgument, CaseIterable {
        /// Sorted by digest; hash functions are forgotten.
        case sorted = "0x0400"
        /// Grouped by hash function.
        case multihashSorted = "0x0401"

        /// The multicodec number.
        var code: UInt64 {
            switch self {
            case .sorted: CARIndex.sorted
            case .multihashSorted: CARIndex.multihashSorted
            }
        }
    }

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the index goes; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output: String

    @Option(help: "The format: IndexSorted or MultihashIndexSorted.")
    var codec = Codec.multihashSorted

    @Flag(inversion: .prefixedNo, help: "Whether sections with identity CIDs are listed.")
    var identity = false

    /// Writes the index that `builder` has collected.
    ///
    /// Tells about it, unless it went to standard output.
    func write(_ builder: consuming CARIndexBuilder, _ format: OutputFormat) throws {
        let count = builder.count
        let bytes = builder.encoded(codec: codec.code)
        try bytes.withView(OutputFile(output).write)
        guard output != OutputFile.standardOutput else { return }
        try Output.run(format) { output in
            switch format {
            case .json:
                try output.object { json in
                    json.member("codec", codec.rawValue)
                    json.member("entries", count)
                    json.member("bytes", bytes.count)
                }
            case .text:
                try output.fields([
                    ("file", self.output.printable),
                    ("codec", codec.rawValue),
                    ("entries", count.grouped),
                    ("size", bytes.count.asSize),
                ])
            }
        }
    }
}
