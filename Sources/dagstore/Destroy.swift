internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `destroy`: removes a shard.
struct Destroy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove a shard, its index and the store's copy; the CAR file stays."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let key = try ShardKey(key)
        let store = try store.openForWriting(isNewAllowed: false)
        do {
            try await store.destroy(key)
        } catch let error as DAGStoreError {
            throw error.about(key)
        }
        await StoreOptions.close(store)
        try Output.run(format.format) { output in
            switch format.format {
            case .text: try output.line("\(key.text.printable)  destroyed")
            case .json:
                try output.object { json in
                    json.member("key", key.text)
                    json.member("state", "destroyed")
                    json.member("error", nil as String?)
                }
            }
        }
    }
}
