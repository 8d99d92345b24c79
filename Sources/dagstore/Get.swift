internal import ArgumentParser
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

/// `get`: the bytes of a block.
struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the bytes of a block, as they are."
    )

    @OptionGroup var block: BlockArguments

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the bytes go; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output = OutputFile.standardOutput

    @Flag(help: "Hash the bytes, and print nothing that the CID does not name.")
    var verify = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let cid = try block.readCID()
        // The block of an identity CID is in the CID.
        if cid.isIdentity, block.shard == nil { return try cid.withDigest(write) }
        // What is written is a copy: the mapped file may become shorter meanwhile.
        let bytes = try block.first(of: cid, in: StoreReader(store)) { shard in
            try verify
                ? shard.verifiedBlockIfLocal(for: cid)?.copiedBytes
                : shard.blockIfLocal(for: cid)?.copiedBytes
        }
        try bytes.withView(write)
    }

    private func write(_ bytes: ByteView) throws { try OutputFile(output).write(bytes) }
}
