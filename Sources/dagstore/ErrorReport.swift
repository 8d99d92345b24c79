internal import AdminMessages
internal import DAGBytes
internal import DAGMigration
internal import DAGStorage
internal import SystemPackage

/// An error as the program reports it: on standard error, and as the exit status.
struct ErrorReport {
    /// The exit status of an error without a code of the library.
    static let otherStatus: Int32 = 1

    /// The code's name.
    let code: String
    /// The subject and the fault.
    let message: String
    /// The next step.
    let advice: String
    /// The place in the bytes, if there is one.
    let offset: UInt64?
    /// The key of the shard that it is about.
    let shard: String?
    /// The exit status of the program.
    let exitStatus: Int32

    /// Makes an error of the program itself, with a code of the library.
    init(code: DAGStoreError.Code, _ message: String, advice: String? = nil) {
        var error = DAGStoreError(code, message)
        error.advice = advice
        self.init(error)
    }

    /// Converts any error.
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
        if let error = error as? VerbNotBuiltIn {
            code = MigrationError.Code.notBuiltIn.rawValue
            message = error.message
            advice = error.advice
            offset = nil
            shard = nil
            exitStatus = DAGStoreError.Code.invalidArgument.exitStatus
            return
        }
        if let error = error as? MigrationError {
            code = error.code.rawValue
            let path = error.path.string
            message = error.detail.hasPrefix(path) ? error.detail : "\(path): \(error.detail)"
            advice = Advice.nextStep(after: error.code)
            offset = nil
            shard = nil
            exitStatus = error.code.exitStatus
            return
        }
        let error = DAGStoreError(any: error)
        code = error.code.name
        message = error.message
        advice = error.advice ?? Advice.nextStep(after: error.code, error.shard?.text)
        offset = error.offset
        shard = error.shard?.text
        exitStatus = error.code.exitStatus
    }

    /// Writes one line to standard error: the verb, the subject, the fault, the next step, and the code.
    func write(_ format: OutputFormat) {
        switch format {
        case .text:
            let subject = shard.map { "shard \"\($0.printable)\": " } ?? ""
            Self.write(lines: "\(Advice.verb): \(subject)\(message.printable); \(advice) (\(code))")
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

    /// Writes bytes to standard error.
    static func write(_ bytes: [UInt8]) {
        // Nothing can report that standard error is closed.
        try? bytes.withView { bytes throws(Errno) in
            try Console.write(bytes, to: .error)
        }
    }
}

extension MigrationError.Code {
    /// The exit status of the program, in the families of the library's codes.
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
    /// Makes an error with a next step of its own.
    init(_ code: Code, _ message: String, shard: ShardKey? = nil, advice: String) {
        self.init(code, message, shard: shard)
        self.advice = advice
    }

    /// Returns the error with the name of a file before its message.
    func about(_ path: FilePath) -> DAGStoreError {
        guard !message.hasPrefix(path.string) else { return self }
        var error = DAGStoreError(code, "\(path): \(message)", shard: shard, offset: offset)
        error.advice = advice
        return error
    }

    /// Returns the error with the key of a shard.
    func about(_ key: ShardKey) -> DAGStoreError {
        var error = self
        error.shard = key
        return error
    }
}
