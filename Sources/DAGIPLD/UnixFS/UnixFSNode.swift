public import DAGBytes

/// What the data of a dag-pb block say in UnixFS.
///
/// ```
/// 1: kind  2: data  3: file size  4: block size, for each link  5: hash type  6: fanout  7: mode  8: time
/// time     1: seconds  2: nanoseconds, fixed32
/// ```
///
/// Fields come in any order, and unknown ones are ignored, as in all implementations.
///
/// Source: IPFS specifications, "UnixFS".
public struct UnixFSNode: Sendable, Hashable {
    /// What a node is.
    public enum Kind: UInt64, Sendable, CaseIterable {
        /// A leaf of a file, of an early kind.
        case raw = 0
        case directory = 1
        case file = 2
        /// Data about another node; a type that no known program writes.
        case metadata = 3
        case symlink = 4
        /// A part of a directory whose entries hashes spread over many blocks.
        case hamtShard = 5
    }

    /// A time of change.
    public struct Time: Sendable, Hashable {
        /// Seconds since 1970; may be negative.
        public var seconds: Int64
        /// 1 to 999,999,999; nil if there are none.
        public var nanoseconds: UInt32?

        /// Creates a time.
        public init(seconds: Int64, nanoseconds: UInt32? = nil) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    /// What it is.
    public var kind: Kind
    /// Where its own bytes are, in the data that were read: a file's content, a symlink's target, a shard's bitfield.
    public var data: Range<Int>?
    /// The size of the file, as its maker claims.
    public var fileSize: UInt64?
    /// How many bytes of the file each link leads to, as its maker claims.
    public var blockSizes: [UInt64] = []
    /// The multicodec of the hash function of a shard.
    public var hashType: UInt64?
    /// The number of places in a shard.
    public var fanout: UInt64?
    /// The permissions of POSIX.
    public var mode: UInt32?
    /// The time of the last change.
    public var modificationTime: Time?

    /// Creates a node without content.
    public init(kind: Kind) { self.kind = kind }

    /// Reads the data of a dag-pb block.
    ///
    /// - Parameters:
    ///   - data: The data, not the block.
    ///   - limits: `linksMax` bounds `blockSizes`.
    /// - Throws: `.malformedBlock`, `.limitExceeded`.
    public init(decoding data: ByteView, limits: DAGLimits = DAGLimits()) throws(IPLDError) {
        var reader = ProtobufReader(data, 0..<data.count, isCanonical: false)
        var kind: Kind?
        self.init(kind: .raw)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .varint):
                guard let known = Kind(rawValue: field.value) else {
                    throw IPLDError(.malformedBlock, "UnixFS has no kind \(field.value)")
                }
                kind = known
            case (2, .bytes): self.data = field.range
            case (3, .varint): fileSize = field.value
            case (4, .varint): try append(field.value, limits)
            case (4, .bytes):
                var sizes = ProtobufReader(data, field.range, isCanonical: false)
                while let size = try sizes.packedVarint() { try append(size, limits) }
            case (5, .varint): hashType = field.value
            case (6, .varint): fanout = field.value
            case (7, .varint): mode = UInt32(truncatingIfNeeded: field.value)
            case (8, .bytes): modificationTime = try Self.time(data, field.range)
            case (1...8, _):
                throw IPLDError(.malformedBlock, "field \(field.number) of UnixFS has a wrong type")
            default: continue
            }
        }
        guard let kind else { throw IPLDError(.malformedBlock, "a UnixFS node without a kind") }
        self.kind = kind
    }

    private mutating func append(_ size: UInt64, _ limits: DAGLimits) throws(IPLDError) {
        guard blockSizes.count < limits.linksMax else { throw limits.tooManyLinks }
        blockSizes.append(size)
    }

    private static func time(_ data: ByteView, _ range: Range<Int>) throws(IPLDError) -> Time {
        var reader = ProtobufReader(data, range, isCanonical: false)
        var seconds: Int64?
        var nanoseconds: UInt32?
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .varint): seconds = Int64(bitPattern: field.value)
            case (2, .fixed32): nanoseconds = UInt32(field.value)
            case (1...2, _): throw IPLDError(.malformedBlock, "a time of a wrong type")
            default: continue
            }
        }
        guard let seconds, nanoseconds ?? 1 < 1_000_000_000 else {
            throw IPLDError(.malformedBlock, "a time without seconds, or with too many nanoseconds")
        }
        return Time(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// Whether it is a file or a part of one.
    public var isFile: Bool { kind == .file || kind == .raw }

    /// Returns how many bytes of a file it and its links have.
    ///
    /// - Parameter linkCount: The number of the block's links.
    /// - Returns: The size in bytes.
    /// - Throws: `.malformedBlock` if the sizes contradict each other, or are not as many as the links.
    public func contentSize(linkCount: Int) throws(IPLDError) -> UInt64 {
        guard blockSizes.count == linkCount else {
            throw IPLDError(
                .malformedBlock,
                "a file of \(linkCount) links tells the sizes of \(blockSizes.count)"
            )
        }
        var sum = UInt64(data?.count ?? 0)
        for size in blockSizes {
            let (total, isOver) = sum.addingReportingOverflow(size)
            guard !isOver else { throw IPLDError(.malformedBlock, "a file beyond 2^64 bytes") }
            sum = total
        }
        guard fileSize ?? sum == sum else {
            throw IPLDError(
                .malformedBlock,
                "a file claims \(fileSize ?? 0) bytes, and its parts have \(sum)"
            )
        }
        return sum
    }
}

extension ProtobufReader {
    /// Reads a number without a field's head; nil at the end.
    fileprivate mutating func packedVarint() throws(IPLDError) -> UInt64? {
        isAtEnd ? nil : try varint()
    }
}
