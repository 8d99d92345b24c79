internal import AdminMessages
internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage

/// `has`: tells whether a shard has a block.
struct Has: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print whether any shard has a block; the exit status is 0 either way."
    )

    @OptionGroup var block: BlockArguments
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let has = try hasBlock(try block.readCID())
        try Output.run(format.format) { output in
            switch format.format {
            case .text: try output.line(has ? "yes" : "no")
            case .json: try output.object { $0.member("has", has) }
            }
        }
    }

    private func hasBlock(_ cid: CID) throws -> Bool {
        if cid.isIdentity, block.shard == nil { return true }
        let reader = try StoreReader(store)
        guard let shard = block.shard else { return try reader.store.contains(cid) }
        return try reader.lease(ShardKey(shard)).contains(cid)
    }
}
