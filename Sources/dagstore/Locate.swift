internal import AdminMessages
internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage

/// `locate`: prints the places of a block.
struct Locate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the offset and size of a block, one line for each shard that has it."
    )

    @OptionGroup var block: BlockArguments
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let cid = try block.readCID()
        let reader = try StoreReader(store)
        let table = Table([
            .number("OFFSET", width: 12), .number("BLOCK", width: 12), .number("SIZE", width: 7),
            .text("KEY"),
        ])
        let found = try block.places(of: cid, in: reader)
        try Output.run(format.format) { output in
            if format.format == .text { try output.heading(of: table) }
            for (key, place) in found.map({ ($0.key, $0.location) }) {
                switch format.format {
                case .text:
                    let numbers = [place.offset, place.blockOffset, place.size].map { String($0) }
                    try output.line(table.line(numbers + [key.text.printable]))
                case .json:
                    try output.object { json in
                        json.member("key", key.text)
                        json.member("offset", place.offset)
                        json.member("blockOffset", place.blockOffset)
                        json.member("size", place.size)
                    }
                }
            }
        }
    }
}
