internal import AdminMessages
internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage
internal import ShardIndex

/// `index list`: lists the sections in the index of a shard.
struct IndexList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sections in the index of a shard in CAR order, one a line."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let shard = try StoreReader(store).lease(ShardKey(key))
        let table = Table([.number("OFFSET", width: 12), .number("SIZE", width: 7), .text("CID")])
        try Output.run(format.format) { output in
            if format.format == .text { try output.heading(of: table) }
            try shard.forEachEntry { entry in
                let cid = entry.cid?.description
                switch format.format {
                case .text:
                    let size = entry.dataSize.map { String($0) } ?? "-"
                    let name = cid ?? entry.multihash?.hexadecimal ?? "-"
                    try output.line(table.line([String(entry.offset), size, name]))
                case .json:
                    try output.object { json in
                        json.member("cid", cid)
                        json.member("multihash", entry.multihash?.hexadecimal)
                        json.member("offset", entry.offset)
                        json.member("size", entry.dataSize)
                    }
                }
                return true
            }
        }
    }
}
