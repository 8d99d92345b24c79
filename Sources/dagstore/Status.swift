internal import ArgumentParser
internal import DAGStorage
internal import Multiformats

/// `status`: everything about one shard.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show everything about a shard.")

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let key = try ShardKey(key)
        let store = try store.openForReading()
        guard let status = try store.status(of: key) else {
            throw DAGStoreError(.shardUnknown, "there is no such shard", shard: key)
        }
        // The roots are in the index; a shard whose file is gone has none to show.
        let roots = try? store.acquireIfAvailable(key).roots.map(\.description)
        try Output.run(format.format) { output in
            switch format.format {
            case .text: try output.fields(Self.fields(status, roots))
            case .json:
                try output.object { json in
                    status.write(to: &json)
                    json.member("references", status.references)
                    json.member("indexBytes", status.indexSize)
                    json.member("transient", nil as String?)
                    json.member("errorMessage", status.error?.message)
                    json.member("roots", roots)
                }
            }
        }
    }

    private static func fields(
        _ status: ShardStatus,
        _ roots: [String]?
    ) -> [(name: String, value: String)] {
        var fields = [
            ("key", status.key.text.printable),
            ("state", status.state.rawValue),
            ("mount", status.mountURL),
        ]
        if let error = status.error {
            fields.append(("error", "\(error.message.printable) (\(error.code.name))"))
        }
        fields += [
            ("blocks", status.blockCount.grouped),
            ("payload", status.payloadSize.asSize),
            ("index", status.indexSize.asSize),
            ("references", status.references.grouped),
        ]
        guard let roots else { return fields + [("roots", "not available")] }
        guard !roots.isEmpty else { return fields + [("roots", "none")] }
        return fields + roots.enumerated().map { ($0 == 0 ? "roots" : "", $1) }
    }
}
