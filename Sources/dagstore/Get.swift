internal import ArgumentParser
internal import DAGBytes
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage

/// `get`: prints the bytes of a block.
struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the raw bytes of a block.")

    @OptionGroup var block: BlockArguments

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file to write to; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output = OutputFile.standardOutput

    @Flag(help: "Hash the bytes first, and print them only if they match the CID.")
    var verify = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let cid = try block.readCID()
        // The block of an identity CID is in the CID.
        if cid.isIdentity, block.shard == nil { return try cid.withDigest(write) }
        try OutputFile(output).rejectFiles(of: store)
        // A copy: another process may truncate the mapped file meanwhile.
        let bytes = try block.first(of: cid, in: StoreReader(store)) { shard in
            try Self.bytes(of: cid, in: shard, verify: verify)
        }
        try bytes.withView(write)
    }

    /// Reads a block, and waits for a remote source.
    private static func bytes(of cid: CID, in shard: Shard, verify: Bool) throws -> [UInt8]? {
        do {
            return try verify
                ? shard.verifiedBlockIfLocal(for: cid)?.copiedBytes
                : shard.blockIfLocal(for: cid)?.copiedBytes
        } catch let error as DAGStoreError where error.code == .mountUnreachable {
            // A remote source, for which the calls above do not wait.
        }
        return try Waiting.wait {
            let block = try await shard.block(for: cid)
            let found = try verify ? block?.verified() : block
            return try found?.copiedBytes
        }
    }

    private func write(_ bytes: ByteView) throws { try OutputFile(output).write(bytes) }
}
