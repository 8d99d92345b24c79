/// A piece of what a verb prints while a node runs it for a client.
///
/// ```
/// byte   0    1 2 3 4      5 ...
///      kind   size n       n bytes     kind 1: standard output, 2: standard error
///                                      kind 0: the end; 4 bytes, the exit status
/// ```
///
/// Numbers are little-endian.
package enum OutputFrame: Sendable, Equatable {
    /// Bytes for standard output.
    case output([UInt8])
    /// Bytes for standard error.
    case error([UInt8])
    /// The exit status; no frame follows.
    case end(Int32)

    /// The most bytes in a frame.
    package static let sizeMax = 1 << 20
    /// The size of a frame without its bytes.
    package static let headSize = 5

    /// The frame's bytes.
    package var encoded: [UInt8] {
        let (kind, bytes): (UInt8, [UInt8]) =
            switch self {
            case .output(let bytes): (1, bytes)
            case .error(let bytes): (2, bytes)
            case .end(let status): (0, Self.littleEndian(UInt32(bitPattern: status)))
            }
        precondition(bytes.count <= Self.sizeMax, "a frame of \(bytes.count) bytes")
        return [kind] + Self.littleEndian(UInt32(bytes.count)) + bytes
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    fileprivate static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Takes frames out of bytes that arrive in pieces.
package struct OutputFrameReader {
    private var bytes: [UInt8] = []

    /// Makes a reader that has no bytes.
    package init() {}

    /// Adds bytes.
    package mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

    /// Takes the next frame.
    ///
    /// - Returns: The frame; nil until all its bytes are there.
    /// - Throws: `MalformedFrame`.
    package mutating func next() throws(MalformedFrame) -> OutputFrame? {
        guard bytes.count >= OutputFrame.headSize else { return nil }
        let size = OutputFrame.number(bytes[1..<OutputFrame.headSize])
        guard size <= OutputFrame.sizeMax else { throw MalformedFrame() }
        let end = OutputFrame.headSize + Int(size)
        guard bytes.count >= end else { return nil }
        let content = Array(bytes[OutputFrame.headSize..<end])
        let kind = bytes[0]
        bytes.removeFirst(end)
        switch kind {
        case 1: return .output(content)
        case 2: return .error(content)
        case 0 where size == 4: return .end(Int32(bitPattern: OutputFrame.number(content)))
        default: throw MalformedFrame()
        }
    }
}

/// The error for bytes that are no frame.
package struct MalformedFrame: Error, Equatable {
    /// Makes the error.
    package init() {}
}

/// Sends frames to the client of a verb.
package struct OutputSender: Sendable {
    /// Sends a frame, and waits until there is room for it; false if the client is gone.
    package let send: @Sendable (OutputFrame) -> Bool
    /// Sends a frame if there is room for it, and drops it otherwise; it never waits.
    package let offer: @Sendable (OutputFrame) -> Void

    /// Makes a sender.
    package init(
        send: @escaping @Sendable (OutputFrame) -> Bool,
        offer: @escaping @Sendable (OutputFrame) -> Void
    ) {
        self.send = send
        self.offer = offer
    }
}
