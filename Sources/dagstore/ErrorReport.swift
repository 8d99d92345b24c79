internal import DAGBytes
internal import DAGMigration
internal import DAGStorage
internal import SystemPackage

/// An error as it is told: on standard error, and as the exit status.
struct ErrorReport {
    /// The exit status of an error that has no code of the library's.
    static let otherStatus: Int32 = 1

    /// The code's name.
    let code: String
    /// What was found.
    let message: String
    /// The next step.
    let advice: String
    /// Where in the bytes.
    let offset: UInt64?
    /// The shard it is about.
    let shard: String?
    /// What the program ends with.
    let exitStatus: Int32

    /// An error of the program itself that has a code of the library's.
    init(code: DAGStoreError.Code, _ message: String, advice: String? = nil) {
        var error = DAGStoreError(code, message)
        error.advice = advice
        self.init(error)
    }

    /// Any error.
    init(_ error: any Error) {
        if case OutputError.failed(let message) = error {
            code = "outputFailed"
            self.message = message
            advice = Advice.output
            offset = nil
            shard = nil
            exitStatus = Self.otherStatus
            return
        }
        if let error = error as? MigrationError {
            code = error.code.rawValue
            let path = error.path.string
            message = error.detail.hasPrefix(path) ? error.detail : "\(path): \(error.detail)"
            advice = Advice.on(error.code)
            offset = nil
            shard = nil
            exitStatus = error.code.exitStatus
            return
        }
        let error = DAGStoreError(any: error)
        code = error.code.name
        message = error.message
        advice = error.advice ?? Advice.on(error.code, error.shard?.text)
        offset = error.offset
        shard = error.shard?.text
        exitStatus = error.code.exitStatus
    }

    /// Writes one line to standard error.
    func write(_ format: OutputFormat) {
        switch format {
        case .text:
            let subject = shard.map { "shard \($0.printable): " } ?? ""
            Self.write(
                lines: "\(Program.name): \(subject)\(message.printable); \(advice) (\(code))"
            )
        case .json:
            var json = JSONWriter()
            json.object { json in
                json.member("error") { json in
                    json.member("code", code)
                    json.member("message", message)
                    if let offset { json.member("offset", offset) }
                    if let shard { json.member("shard", shard) }
                }
            }
            json.bytes.append(UInt8(ascii: "\n"))
            Self.write(json.bytes)
        }
    }

    /// Writes text and a newline to standard error; its control characters are escaped.
    static func write(lines: String) { write(Array("\(lines.printableLines)\n".utf8)) }

    private static func write(_ bytes: [UInt8]) {
        // There is nowhere to tell that nobody can be told.
        try? bytes.withView { bytes throws(Errno) in
            try Kernel.write(bytes, to: .standardError)
        }
    }
}

extension MigrationError.Code {
    /// What the program ends with, in the families of the library's codes.
    fileprivate var exitStatus: Int32 {
        switch self {
        case .unknownLayout, .notBuiltIn, .destinationExists: 2
        case .sourceUnreadable, .sourceChanged: 4
        case .sourceCorrupt, .truncated, .malformedIndex, .unsupportedVersion: 5
        case .full, .destinationUnwritable: 6
        }
    }
}

extension DAGStoreError {
    /// An error with a next step of its own.
    init(_ code: Code, _ message: String, shard: ShardKey? = nil, advice: String) {
        self.init(code, message, shard: shard)
        self.advice = advice
    }

    /// The same error, with the file that it is about in front.
    func about(_ path: FilePath) -> DAGStoreError {
        guard !message.hasPrefix(path.string) else { return self }
        var error = DAGStoreError(code, "\(path): \(message)", shard: shard, offset: offset)
        error.advice = advice
        return error
    }

    /// The same error, about a shard.
    func about(_ key: ShardKey) -> DAGStoreError {
        var error = self
        error.shard = key
        return error
    }
}
