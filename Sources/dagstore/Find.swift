internal import ArgumentParser
internal import DAGStorage
internal import Multiformats

/// `find`: which shards have a block.
struct Find: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the keys of the shards that have a block.",
        discussion: "No shard's bytes are read."
    )

    @Argument(help: "The block's CID, in any base.")
    var cid: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let multihash = try BlockArguments.readCID(cid).multihash
        let keys = try store.openForReading().shards(containing: multihash)
        guard !keys.isEmpty else {
            throw DAGStoreError(.blockNotFound, "no shard has \(cid)")
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
