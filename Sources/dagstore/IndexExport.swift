internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR
internal import DAGStorage
internal import ShardIndex

/// `index export`: writes the index of a shard as go-car does.
struct IndexExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the index of a shard in a format of go-car."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var index: IndexOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let key = try ShardKey(key)
        try OutputFile(index.output).rejectFiles(of: store)
        let shard = try StoreReader(store).lease(key)
        var builder = CARIndexBuilder(storesIdentity: index.identity)
        try shard.forEachEntry { entry in
            guard let hashCode = entry.kind.hashCode else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "the hash function of a section is unknown",
                    shard: key
                )
            }
            entry.digest.withView { digest in
                builder.append(hashCode: hashCode, digest: digest, offset: entry.offset)
            }
            return true
        }
        try index.write(builder, format.format)
    }
}
