internal import AdminMessages
internal import DAGBytes
internal import DAGStorage
internal import SystemPackage

/// The terminal of a client for which a node runs a verb.
///
/// Without one, a verb prints to the streams of its own process. The value belongs to the task of the verb: code that
/// the store calls on its own threads gets it from there.
final class Console: Sendable {
    /// The streams of a verb.
    enum Stream {
        case output
        case error

        /// The stream of this process.
        var descriptor: FileDescriptor { self == .output ? .standardOutput : .standardError }
    }

    /// The client's terminal; nil in a program that runs for its own user.
    @TaskLocal static var client: Console?

    /// What the client asked for.
    let request: VerbRequest
    /// The node's store.
    let store: DAGStore
    /// The node's store's folder, without symbolic links.
    let directory: FilePath
    private let sender: OutputSender

    /// Makes a client's terminal.
    ///
    /// - Parameters:
    ///   - request: What the client asked for.
    ///   - store: The store that the node has open.
    ///   - directory: Its folder, without symbolic links.
    ///   - sender: Sends frames to the client.
    init(
        _ request: VerbRequest,
        store: DAGStore,
        directory: FilePath,
        sender: OutputSender
    ) {
        self.request = request
        self.store = store
        self.directory = directory
        self.sender = sender
    }

    /// The arguments after the program's name.
    static var arguments: [String] {
        client?.request.arguments ?? Array(CommandLine.arguments.dropFirst())
    }

    /// Returns an environment variable; nil also if it is empty.
    static func variable(_ name: String) -> String? {
        guard let client, VerbRequest.passedVariables.contains(name) else {
            return Kernel.variable(name)
        }
        return client.request.variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Returns whether a stream is a terminal.
    static func isTerminal(_ stream: Stream) -> Bool {
        guard let client else { return Kernel.isTerminal(stream.descriptor) }
        return stream == .output
            ? client.request.isOutputTerminal : client.request.isErrorTerminal
    }

    /// The width of the terminal behind standard error, in columns.
    var columns: Int? { request.columns }

    /// Writes bytes to a stream of the process, or to that of the client of this task.
    ///
    /// - Throws: `.brokenPipe` if the reader is gone; other errors of the system.
    static func write(_ bytes: ByteView, to stream: Stream) throws(Errno) {
        guard let client else { return try Kernel.writeAll(bytes, to: stream.descriptor) }
        try client.write(bytes, to: stream)
    }

    /// Writes bytes to a stream of the client.
    ///
    /// - Throws: `.brokenPipe` if the client is gone.
    func write(_ bytes: ByteView, to stream: Stream) throws(Errno) {
        var start = 0
        while start < bytes.count {
            let end = min(start + OutputFrame.sizeMax, bytes.count)
            let part = bytes[start..<end].copied
            guard sender.send(stream == .output ? .output(part) : .error(part)) else {
                throw .brokenPipe
            }
            start = end
        }
    }

    /// Writes text to standard error of the client, unless it has not taken earlier text yet.
    ///
    /// The store's threads call it: they must not wait for a client.
    func offer(_ text: String) { sender.offer(.error(Array(text.utf8))) }
}
