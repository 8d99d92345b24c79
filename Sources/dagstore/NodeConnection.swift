internal import AdminMessages
internal import DAGBytes
internal import DAGStorage
internal import DAGSystem
internal import SystemPackage

/// The error for a verb that must write a store which a node has open: the node is to run it.
struct HeldByNode: Error {
    let connection: NodeConnection
    /// The bytes of standard output that the verb has printed already.
    var printedSize: UInt64 = 0
}

/// A connection to the admin socket of the node that has a store open.
///
/// *Concurrency*: one thread.
// SAFETY: an error carries the connection from the verb to the program, and these run one after the other.
final class NodeConnection: @unchecked Sendable {
    private let socket: FileDescriptor
    private var received: [UInt8] = []

    /// The largest head of an answer, in bytes.
    private static let headSizeMax = 64 << 10
    /// How long a node may take to answer, in seconds.
    private static let answerSecondsMax = 30
    /// The longest line with the size of a part, in bytes.
    private static let sizeLineMax = 64

    /// Connects to the node of a store; nil if none listens.
    init?(to directory: FilePath) {
        guard let path = AdminSocketPlace.find(in: directory),
            let socket = try? LocalSocket.connect(to: path)
        else { return nil }
        self.socket = socket
    }

    deinit { try? socket.close() }

    /// Lets the node run a verb, and prints what it prints.
    ///
    /// - Parameters:
    ///   - arguments: The arguments after the program's name.
    ///   - printedSize: The number of bytes of the output that this process has printed already.
    /// - Returns: The exit status.
    /// - Throws: `OutputError` if the output cannot be written; `closed` if the node ends before the verb does.
    func run(_ arguments: [String], skipping printedSize: UInt64) throws -> Int32 {
        guard let body = Self.request(arguments).encoded else {
            throw DAGStoreError(.invalidArgument, "an argument has a zero byte")
        }
        guard body.count <= VerbRequest.sizeMax else {
            throw DAGStoreError(
                .invalidArgument,
                "the arguments have \(body.count) bytes, and a node takes \(VerbRequest.sizeMax)",
                advice: "give fewer at once"
            )
        }
        var left = printedSize
        let head =
            "POST /v1/verbs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + "Content-Type: application/vnd.dagstore.verb\r\nContent-Length: \(body.count)\r\n\r\n"
        do {
            try socket.writeAll(Array(head.utf8) + body)
        } catch {
            throw Self.lost("its request could not be sent: \(error)")
        }
        // A node answers at once, and its verb may then take as long as it needs.
        LocalSocket.setReadTimeout(Self.answerSecondsMax, of: socket)
        try readHead()
        LocalSocket.setReadTimeout(0, of: socket)
        var frames = OutputFrameReader()
        while let part = try nextPart() {
            frames.append(part)
            while let frame = try Self.next(&frames) {
                switch frame {
                case .output(let bytes):
                    let known = Int(min(left, UInt64(bytes.count)))
                    left -= UInt64(known)
                    try Array(bytes[known...]).withView(Output.write)
                case .error(let bytes): ErrorReport.write(bytes)
                case .end(let status): return status
                }
            }
        }
        throw Self.lost("it ended before the verb did")
    }

    private static func request(_ arguments: [String]) -> VerbRequest {
        var request = VerbRequest(arguments, directory: Kernel.workingDirectory?.string ?? "")
        for name in VerbRequest.passedVariables {
            request.variables[name] = Kernel.variable(name)
        }
        request.isOutputTerminal = Kernel.isTerminal(.standardOutput)
        request.isErrorTerminal = Kernel.isTerminal(.standardError)
        request.columns = Kernel.width(of: .standardError)
        return request
    }

    private static func next(_ frames: inout OutputFrameReader) throws -> OutputFrame? {
        do {
            return try frames.next()
        } catch {
            throw lost("its answer is malformed")
        }
    }

    private static func lost(_ reason: String) -> DAGStoreError {
        DAGStoreError(
            .closed,
            "the node that has the store open did not finish the verb: \(reason)",
            advice: "see the log of 'dagstore serve', then run the same command again"
        )
    }

    // MARK: HTTP

    private func readHead() throws {
        while true {
            if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                received.removeFirst(end.upperBound)
                guard head.hasPrefix("HTTP/1.1 200 ") else {
                    let line = head.prefix { $0 != "\r\n" }
                    throw Self.lost("it answered \"\(line)\"")
                }
                return
            }
            guard received.count <= Self.headSizeMax, try receive() else {
                throw Self.lost("its answer is malformed")
            }
        }
    }

    /// Returns the next part of a chunked body; nil after the last.
    private func nextPart() throws -> [UInt8]? {
        var line: ArraySlice<UInt8>
        while true {
            if let end = received.firstRange(of: Array("\r\n".utf8)) {
                line = received[..<end.lowerBound]
                received.removeFirst(end.upperBound)
                break
            }
            guard received.count <= Self.sizeLineMax, try receive() else {
                throw Self.lost("it closed the connection")
            }
        }
        guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16),
            (0...(OutputFrame.sizeMax << 4)).contains(size)
        else { throw Self.lost("its answer is malformed") }
        guard size > 0 else { return nil }
        while received.count < size + 2 {
            guard try receive() else { throw Self.lost("it closed the connection") }
        }
        defer { received.removeFirst(size + 2) }
        return Array(received[..<size])
    }

    /// Receives some bytes.
    ///
    /// - Returns: Whether there were some; false at the end.
    private func receive() throws -> Bool {
        do {
            let bytes = try socket.readSome(atMost: 64 << 10)
            received += bytes
            return !bytes.isEmpty
        } catch .wouldBlock {
            throw Self.lost("it does not answer")
        } catch {
            throw Self.lost("\(error)")
        }
    }
}
