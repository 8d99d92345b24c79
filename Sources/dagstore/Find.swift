internal import AdminMessages
internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage

/// `find`: prints the shards that have a block.
struct Find: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the keys of the shards that have a block.",
        discussion:
            "Searches indexes, and reads no bytes of a shard. For an identity CID, also searches the roots."
    )

    @Argument(help: BlockArguments.help)
    var cid: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let block = try BlockArguments.readCID(cid)
        let store = try store.openForReading()
        var keys = try store.shards(containing: block.multihash)
        if block.isIdentity {
            // Its block is in the CID, so a CAR may name it as a root without a section.
            let known = Set(keys)
            keys += try store.shards(withRoot: block).filter { !known.contains($0) }
        }
        guard !keys.isEmpty else {
            throw DAGStoreError(
                .blockNotFound,
                block.isIdentity
                    ? "no shard has \(cid) as a section or root; its block is in the CID: use 'get'"
                    : "no shard has \(cid)"
            )
        }
        var list = RowList([.text("KEY")])
        try Output.run(format.format) { output in
            for key in keys {
                switch format.format {
                case .text: try output.row([key.text], of: &list)
                case .json: try output.object { $0.member("key", key.text) }
                }
            }
        }
    }
}
