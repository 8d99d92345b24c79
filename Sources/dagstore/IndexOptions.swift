internal import AdminMessages
internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR

/// The format and content of a detached index.
struct IndexOptions: ParsableArguments {
    /// The two formats of go-car.
    enum Codec: String, ExpressibleByArgument, CaseIterable {
        /// Sorted by digest, without hash functions.
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
        help: ArgumentHelp("The file to write to; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output: String

    @Option(help: "The format: 0x0400 is IndexSorted, 0x0401 MultihashIndexSorted.")
    var codec = Codec.multihashSorted

    @Flag(inversion: .prefixedNo, help: "Include sections with identity CIDs.")
    var identity = false

    /// Writes the index that `builder` has collected, and prints its size unless it went to standard output.
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
