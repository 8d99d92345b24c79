package import DAGBytes
internal import DAGHashing
internal import DAGMultiformats

/// What must hold of a reader for any bytes whatever.
///
/// The fuzzers call these with inputs of their making, and a test with the inputs that are kept. A
/// reader may refuse an input, but not trap; what it accepts must agree with itself.
package enum FuzzCheck: String, CaseIterable, Sendable {
    /// CAR headers and sections, through one window and through many.
    case car
    /// CAR indexes in both formats.
    case carIndex = "car-index"
    /// Pages of a shard's index.
    case page
    /// The root page of a shard's index.
    case root
    /// Segments of a shard's locator.
    case segment
    /// Segments of a run of the inverse index, and a last byte that chooses the run's shape.
    case inverse
    /// Directories of chunks of a cluster's inverse index.
    case chunkDirectory = "chunk-directory"
    /// Blocks of dag-pb.
    case dagPB = "dag-pb"
    /// Blocks of dag-cbor.
    case dagCBOR = "dag-cbor"
    /// Blocks of dag-json.
    case dagJSON = "dag-json"
    /// UnixFS nodes and the shards of directories.
    case unixFS = "unixfs"
    /// Walks of DAGs, and a first byte that chooses the request.
    case traversal
    /// Requests to the gateway: method, target and fields, a line each.
    case gateway

    /// Two answers that cannot both be right.
    package struct Contradiction: Error, CustomStringConvertible {
        package let description: String
    }

    /// Checks one input.
    ///
    /// - Throws: `Contradiction`.
    package func run(_ input: ByteView) throws(Contradiction) {
        switch self {
        case .car: try Self.checkCAR(input)
        case .carIndex: try Self.checkCARIndexes(input)
        case .page: try Self.withChecksum(input, Self.checkPage)
        case .root: try Self.withChecksum(input, Self.checkRoot)
        case .gateway: try Self.checkGateway(input)
        case .segment: try Self.withChecksum(input, Self.checkSegment)
        case .dagPB: try Self.checkDagPB(input)
        case .dagCBOR: try Self.checkLinks(input, Codec.dagCBOR)
        case .dagJSON: try Self.checkLinks(input, Codec.dagJSON)
        case .unixFS: try Self.checkUnixFS(input)
        case .traversal: try Self.checkTraversal(input)
        case .chunkDirectory: try Self.checkChunkDirectory(input)
        case .inverse:
            guard input.count > 8 else { return }
            let shape = Self.runShape(input[input.count - 1])
            try Self.withChecksum(input[0..<input.count - 1]) { bytes throws(Contradiction) in
                try Self.checkInverse(bytes, shape)
            }
        }
    }

    static func require(
        _ holds: Bool,
        _ what: @autoclosure () -> String
    ) throws(Contradiction) {
        guard holds else { throw Contradiction(description: what()) }
    }

    /// Writes the checksum of a range in front of it or behind it.
    static func writeChecksum(of range: Range<Int>, at place: Int, in bytes: inout [UInt8]) {
        let checksum = bytes.withView { Checksum.xxh64($0[range]) }
        for index in 0..<8 {
            bytes[place + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
    }

    /// Calls `body` with a copy of `input` whose first eight bytes are the checksum of the others:
    /// a checksum turns away nearly every input that chance makes.
    private static func withChecksum(
        _ input: ByteView,
        _ body: (ByteView) throws(Contradiction) -> Void
    ) throws(Contradiction) {
        var bytes = input.copied
        if bytes.count >= 8 {
            let checksum = Checksum.xxh64(input[8..<input.count])
            for index in 0..<8 {
                bytes[index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
            }
        }
        try bytes.withView { view throws(Contradiction) in try body(view) }
    }

    /// Numbers that depend on the input alone, so that an input is enough to repeat a failure.
    struct Numbers {
        private var state: UInt64

        init(for input: ByteView) { state = Checksum.xxh64(input) }

        mutating func next(below bound: Int) -> Int {
            state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
            return Int(state >> 33) % bound
        }

        mutating func next() -> UInt64 {
            UInt64(next(below: 1 << 30)) << 34 ^ UInt64(next(below: 1 << 30)) << 8
                ^ UInt64(next(below: 256))
        }
    }
}
