internal import AdminMessages
internal import DAGStorage

/// A finding that is not a failure: one line on standard error.
struct Warning {
    /// The kind of finding.
    enum Code: String {
        /// Bytes after the end of the data that are not all zero.
        case ignoredBytes
        /// No node of the cluster gives signs of life.
        case noLivingNode
    }

    private let code: Code
    private let message: String
    private let offset: UInt64?
    private let shard: ShardKey?

    /// A warning.
    init(code: Code, _ message: String, offset: UInt64? = nil, _ shard: ShardKey? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
        self.shard = shard
    }

    /// Writes one line to standard error.
    func write(_ format: OutputFormat) {
        guard format == .json else {
            let subject = shard.map { "shard \"\($0.text.printable)\": " } ?? ""
            let text = "\(Advice.verb): warning: \(subject)\(message.printable) (\(code.rawValue))"
            return ErrorReport.write(lines: text)
        }
        var json = JSONWriter()
        json.object { json in
            json.member("warning") { json in
                json.member("code", code.rawValue)
                json.member("message", message)
                if let offset { json.member("offset", offset) }
                if let shard { json.member("shard", shard.text) }
            }
        }
        ErrorReport.write(lines: String(decoding: json.bytes, as: UTF8.self))
    }
}
