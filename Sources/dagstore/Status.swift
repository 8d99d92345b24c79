internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage

/// `status`: shows one shard in detail.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the state, mount, sizes and roots of a shard."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let key = try ShardKey(key)
        let store = try store.openForReading()
        guard let status = try store.status(of: key) else {
            throw DAGStoreError(.shardUnknown, "no shard has this key", shard: key)
        }
        // A lease has the roots, and fails as it would for a reader now.
        let lease = Result { try store.lease(key).roots.map(\.description) }
        var roots = try? lease.get()
        // A lease would wait for the source: the index has the roots, too.
        if case .failure(let failure as DAGStoreError) = lease, failure.code == .readOnly {
            roots = try store.indexedRoots(of: key)?.map(\.description)
        }
        var error = status.error
        if status.state == .available, case .failure(let failure as DAGStoreError) = lease,
            failure.code.exitStatus == 4
        {
            error = failure
        }
        let explanation = status.explanation(isOwned: try self.store.isOwned, error)
        try Output.run(format.format) { output in
            switch format.format {
            case .text: try output.fields(Self.fields(status, error, roots, explanation))
            case .json:
                try output.object { json in
                    status.write(to: &json, error: error)
                    json.member("references", status.references)
                    json.member("indexBytes", status.indexSize)
                    json.member("transient", status.transient?.string)
                    json.member("errorMessage", error?.message)
                    json.member("roots", roots)
                    json.member("since", status.stateSince.asTimestamp)
                    json.member("explanation", explanation)
                    json.member("policy", status.policy.rawValue)
                    json.member("remoteRequests", status.traffic?.requests ?? 0)
                    json.member("remoteBytes", status.traffic?.bytes ?? 0)
                }
            }
        }
    }

    private static func fields(
        _ status: ShardStatus,
        _ error: DAGStoreError?,
        _ roots: [String]?,
        _ explanation: String?
    ) -> [(name: String, value: String)] {
        var fields = [
            ("key", status.key.text.printable),
            ("state", "\(status.state.rawValue) since \(status.stateSince.asTimestamp)"),
            ("mount", status.mountURL),
        ]
        if status.policy != .automatic { fields.append(("policy", status.policy.rawValue)) }
        if let error {
            fields.append(("error", "\(error.message.printable) (\(error.code.name))"))
        }
        if let explanation { fields.append(("why", explanation)) }
        if let transient = status.transient {
            fields.append(("transient", transient.string.printable))
        }
        fields += [
            ("blocks", status.blockCount.grouped),
            ("payload", status.payloadSize.asSize),
            ("index", status.indexSize.asSize),
            ("references", status.references.grouped),
        ]
        if let traffic = status.traffic { fields.append(("read", traffic.text)) }
        guard let roots else { return fields + [("roots", "not available")] }
        guard !roots.isEmpty else { return fields + [("roots", "none")] }
        return fields + roots.enumerated().map { ($0 == 0 ? "roots" : "", $1) }
    }
}

extension Traffic {
    /// The requests and bytes, for people.
    var text: String { "\(requests.counted("request", "requests")), \(bytes.asSize)" }
}
