internal import AdminMessages
internal import DAGBytes
internal import SystemPackage

/// The reason why a result could not be written.
enum OutputError: Error, Equatable {
    /// The reader of standard output has closed it.
    case closed
    /// Anything else: a full disk, a missing directory.
    case failed(String)

    /// Makes the error of a system call on `name`.
    init(_ errno: Errno, _ name: String) {
        self = .failed("\(name): \(errno)")
    }
}

/// Standard output, buffered.
///
/// Only whole lines are written, so that an interrupted program leaves no half of one behind.
struct Output {
    /// Buffered bytes after which the lines are written.
    private static let bufferSize = 64 << 10

    /// The format of results.
    let format: OutputFormat
    private var bytes: [UInt8] = []
    private var isClosed = false

    /// Standard output, with nothing buffered.
    init(_ format: OutputFormat) { self.format = format }

    /// Calls `body` with standard output, and writes the rest of the buffer, also if it throws.
    static func run(_ format: OutputFormat, _ body: (inout Output) throws -> Void) throws {
        var output = Output(format)
        let result = Result { try body(&output) }
        let flushed = Result { try output.flush() }
        // An error of the work is more important than one of the output.
        try result.get()
        try flushed.get()
    }

    /// Prints a JSON object and ends the line.
    mutating func object(_ body: (inout JSONWriter) -> Void) throws(OutputError) {
        var json = JSONWriter()
        swap(&json.bytes, &bytes)
        json.object(body)
        swap(&json.bytes, &bytes)
        try endLine()
    }

    /// Prints a line of text; its control characters are escaped.
    mutating func line(_ text: String) throws(OutputError) {
        bytes += text.printable.utf8
        try endLine()
    }

    /// Prints lines of the program without escaping.
    mutating func lines(_ text: String) throws(OutputError) {
        bytes += text.utf8
        try endLine()
    }

    private mutating func endLine() throws(OutputError) {
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count >= Self.bufferSize { try flush() }
    }

    /// Writes the buffer.
    ///
    /// - Throws: `OutputError.closed` the first time that the reader is gone; later it drops the bytes.
    mutating func flush() throws(OutputError) {
        defer { bytes.removeAll(keepingCapacity: true) }
        guard !isClosed, !bytes.isEmpty else { return }
        do {
            try bytes.withView(Self.write)
        } catch {
            isClosed = error == .closed
            throw error
        }
    }

    /// Writes `bytes` without escaping and buffering.
    static func write(_ bytes: ByteView) throws(OutputError) {
        do throws(Errno) {
            try Console.write(bytes, to: .output)
        } catch {
            throw error == .brokenPipe ? .closed : OutputError(error, "standard output")
        }
    }
}
