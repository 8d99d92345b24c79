public import DAGBytes
public import DAGMultiformats

/// A walk of a DAG as a machine without I/O: it names blocks in depth-first order, and is given their bytes.
///
/// First come the blocks of the path from the root, then those that the request's scope asks for. The owner calls
/// `nextVisits`, has the blocks of all visits, and gives the bytes of the last one to `receive` if that visit
/// `isDecoded`. The block of an identity CID is in the CID: the machine reads it there and never names it.
///
/// ```swift
/// var traversal = DAGTraversal(request)
/// while true {
///     let visits = try traversal.nextVisits(limit: 16)
///     guard let last = visits.last else { break }
///     …                                             // get the blocks, send those that are emitted
///     if last.isDecoded { try traversal.receive(bytesOfLast) }
/// }
/// ```
///
/// *Memory*: the links that wait, at most `DAGLimits.pendingSizeMax`; one block's links, at most `linksMax`; and in a
/// walk without duplicates 43 bytes for each block that was named. It is the same for a DAG of any size with
/// duplicates.
///
/// *Concurrency*: a value, with one owner.
public struct DAGTraversal: Sendable {
    /// A block that the walk comes by.
    public struct Visit: Sendable {
        /// The block's CID.
        public let cid: CID
        /// Whether the block is part of the answer; a block that the answer has already is only read again.
        public let isEmitted: Bool
        /// Whether the walk needs the block's bytes before it can go on.
        public let isDecoded: Bool
        /// The size in bytes that the blocks above tell; another size makes the file malformed.
        public let expectedSize: UInt64?

        init(cid: CID, isEmitted: Bool, isDecoded: Bool, expectedSize: UInt64?) {
            self.cid = cid
            self.isEmitted = isEmitted
            self.isDecoded = isDecoded
            self.expectedSize = expectedSize
        }

        /// Creates the visit of a block that is not read.
        package init(_ cid: CID) {
            self.init(cid: cid, isEmitted: true, isDecoded: false, expectedSize: nil)
        }
    }

    /// What the walk wants of a block.
    enum Role {
        /// The block at which the path's segments from `index` on begin.
        case path(index: Int)
        /// A part of a directory on the path.
        case shardOnPath(index: Int, level: Int, fanout: Int)
        /// The block and everything below.
        case all
        /// The block at the end of the path, and what belongs to it.
        case entity
        /// A part of a file of which the request asks some bytes: where it starts and how many it has.
        case filePart(start: UInt64, size: UInt64)
        /// A part of a file of which all is wanted.
        case wholeFile
        /// A part of the directory.
        case shard(level: Int, fanout: Int)
    }

    /// The links of a block that are followed one after the other.
    struct Frame {
        var links: LinkList
        var next = 0
        var role: Role
        /// The places of parts of a file, one more than links, if only some of its bytes are asked for.
        var offsets: [UInt64] = []
    }

    /// The request.
    public private(set) var request: DAGRequest
    /// Whether the block at the end of the path is known: it is the next visit, or was visited.
    public private(set) var isPathResolved = false
    var single: (cid: CID, role: Role)?
    var frames: [Frame] = []
    private var pendingSize = 0
    private var awaited: (cid: CID, role: Role)?
    private var seen: SeenCIDs
    /// The bytes of the file that are asked for, once its size is known.
    var range: Range<UInt64>?
    private var hasFailed = false
    /// Whether a block of an unknown codec has no links, instead of being an error.
    private var passesUnknownCodecs = false

    /// Begins a walk.
    public init(_ request: DAGRequest) {
        self.request = request
        if request.entityBytes != nil { self.request.scope = .entity }
        seen = SeenCIDs(countMax: request.limits.distinctBlocksMax)
        single = (request.root, .path(index: 0))
    }

    /// Begins a walk of everything below some roots, each block once.
    ///
    /// Blocks whose codec is unknown are visited, and taken to have no links.
    package init(below roots: [CID], limits: DAGLimits) {
        self.init(
            DAGRequest(root: CID(codec: Codec.raw, multihash: Multihash(code: 0, digest: [])))
        )
        request.limits = limits
        seen = SeenCIDs(countMax: limits.distinctBlocksMax)
        passesUnknownCodecs = true
        isPathResolved = true
        single = nil
        var links = LinkList()
        for root in roots { root.bytes.withView { links.append($0) } }
        guard !links.isEmpty else { return }
        pendingSize = links.size
        frames = [Frame(links: links, role: .all)]
    }

    // MARK: Visits

    /// Returns the next blocks in the walk's order.
    ///
    /// Only the last of them can be one that `isDecoded`: what follows it is in its bytes.
    ///
    /// - Parameter limit: How many blocks at most.
    /// - Returns: The visits; none at the end.
    /// - Throws: `.unsupportedCodec` before a block that cannot be decoded; `.pathNotFound`, `.pathNotALink`;
    ///   `.malformedBlock` for a file or directory that leads to something else; `.limitExceeded`. After an error
    ///   the walk is at its end.
    public mutating func nextVisits(limit: Int) throws(IPLDError) -> [Visit] {
        var visits: [Visit] = []
        visits.reserveCapacity(limit)
        try appendVisits(to: &visits, limit: limit)
        return visits
    }

    /// Does the same with the caller's array, which is emptied first.
    package mutating func appendVisits(
        to visits: inout [Visit],
        limit: Int
    ) throws(IPLDError) {
        precondition(awaited == nil, "a block that the walk waits for was not given")
        visits.removeAll(keepingCapacity: true)
        guard !hasFailed else { return }
        prepareKeys(limit)
        do throws(IPLDError) {
            while visits.count < limit, let (cid, role, key) = popLink() {
                guard let visit = try visit(cid, role, key) else { continue }
                visits.append(visit)
                if visit.isDecoded { return }
            }
        } catch {
            fail()
            throw error
        }
    }

    /// Gives the walk the bytes of the block that it waits for.
    ///
    /// - Throws: `.malformedBlock`, `.limitExceeded`; `.pathNotFound`, `.pathNotALink` in a block of the path.
    public mutating func receive(_ block: ByteView) throws(IPLDError) {
        guard let (cid, role) = awaited else {
            preconditionFailure("the walk waits for no block")
        }
        awaited = nil
        do {
            try read(block, cid, role)
        } catch {
            fail()
            throw error.about(cid)
        }
    }

    /// Tells the walk that the block it waits for is not there: nothing follows from it.
    package mutating func skip() {
        precondition(awaited != nil, "the walk waits for no block")
        awaited = nil
    }

    private mutating func fail() {
        hasFailed = true
        frames = []
        single = nil
    }

    /// Takes the next link from the top of the stack.
    private mutating func popLink() -> (cid: CID, role: Role, key: SeenCIDs.Key?)? {
        if let next = single {
            single = nil
            return (next.cid, next.role, nil)
        }
        while let top = frames.indices.last {
            let place = frames[top].next
            guard place < frames[top].links.count else {
                popFrame()
                continue
            }
            frames[top].next = place + 1
            let cid = frames[top].links[place]
            let key = keys.frame == top ? keys.next() : nil
            var role = frames[top].role
            if !frames[top].offsets.isEmpty {
                let start = frames[top].offsets[place]
                let end = frames[top].offsets[place + 1]
                guard let range, start < end, range.overlaps(start..<end) else { continue }
                role = .filePart(start: start, size: end - start)
            }
            // A frame without links left is gone before its last link is followed: lists take no room.
            if place + 1 == frames[top].links.count { popFrame() }
            return (cid, role, key)
        }
        return nil
    }

    /// Keys of the links that come next on the top frame, hashed together so that their places in `seen` are loaded
    /// together.
    private struct KeyBatch: Sendable {
        var frame = -1
        var keys: [SeenCIDs.Key] = []

        mutating func next() -> SeenCIDs.Key? { keys.popLast() }
    }

    private var keys = KeyBatch()

    /// Hashes the links that the next visits may need.
    private mutating func prepareKeys(_ limit: Int) {
        keys.keys.removeAll(keepingCapacity: true)
        guard !request.sendsDuplicates, single == nil, let top = frames.indices.last else { return }
        keys.frame = top
        let start = frames[top].next
        let end = min(frames[top].links.count, start + limit)
        for place in stride(from: end - 1, through: start, by: -1) {
            let key = frames[top].links.withCID(place) { seen.key(of: $0) }
            seen.prefetch(key)
            keys.keys.append(key)
        }
    }

    private mutating func popFrame() {
        let frame = frames.removeLast()
        pendingSize -= frame.links.size + 8 * frame.offsets.count
    }

    /// Puts the links of a block on the stack.
    mutating func push(_ frame: Frame) throws(IPLDError) {
        guard !frame.links.isEmpty else { return }
        let limits = request.limits
        guard frames.count < limits.depthMax else {
            throw IPLDError(.limitExceeded, "a DAG deeper than \(limits.depthMax)")
        }
        // Keys are those of the frame that was on the top.
        keys.frame = -1
        pendingSize += frame.links.size + 8 * frame.offsets.count
        guard pendingSize <= limits.pendingSizeMax else {
            throw IPLDError(
                .limitExceeded,
                "more than \(limits.pendingSizeMax) bytes of links that wait"
            )
        }
        frames.append(frame)
    }

    /// Returns the visit of a block; nil if there is none, because the block is in its CID or was visited.
    private mutating func visit(
        _ cid: CID,
        _ role: Role,
        _ key: SeenCIDs.Key?
    ) throws(IPLDError) -> Visit? {
        let role = try resolvedRole(role)
        let isDecoded = try isDecoded(cid, role)
        if cid.isIdentity {
            if isDecoded {
                do throws(IPLDError) {
                    try cid.withDigest { digest throws(IPLDError) in try read(digest, cid, role) }
                } catch {
                    throw error.about(cid)
                }
            }
            return nil
        }
        var size: UInt64?
        if case .filePart(_, let expected) = role, !isDecoded { size = expected }
        var isEmitted = true
        if !request.sendsDuplicates {
            isEmitted = try seen.insert(key ?? cid.bytes.withView { seen.key(of: $0) })
            // A part of a file can come again, and have other bytes of it in the range. Once all of them were, it is
            // passed over. Only two parts of a level, at the ends of the range, are there in part.
            if isDecoded, case .filePart(let start, let size) = role, let range {
                let isWhole = range.lowerBound <= start && start + size <= range.upperBound
                if isWhole {
                    let key = cid.bytes.withView { seen.key(of: $0, tag: Self.wholeTag) }
                    guard try seen.insert(key) else { return nil }
                }
            } else {
                guard isEmitted else { return nil }
            }
        }
        if isDecoded { awaited = (cid, role) }
        return Visit(cid: cid, isEmitted: isEmitted, isDecoded: isDecoded, expectedSize: size)
    }

    /// Tells in `seen` that all bytes below a block were asked for.
    private static let wholeTag: UInt64 = 1

    /// Returns the role at the end of the path, where the path ends.
    private mutating func resolvedRole(_ role: Role) throws(IPLDError) -> Role {
        guard case .path(let index) = role else { return role }
        guard request.path.segments.count <= request.limits.pathSegmentsMax else {
            throw IPLDError(
                .limitExceeded,
                "a path of \(request.path.segments.count) segments, "
                    + "over the limit of \(request.limits.pathSegmentsMax)"
            )
        }
        guard index == request.path.segments.count else { return role }
        isPathResolved = true
        switch request.scope {
        case .all: return .all
        // The scope `block` is an entity without anything below.
        case .block, .entity: return .entity
        }
    }

    /// Returns whether the walk reads a block, because something may follow from it.
    private func isDecoded(_ cid: CID, _ role: Role) throws(IPLDError) -> Bool {
        switch role {
        case .path(let index):
            guard LinkList.areFound(in: cid.codec) else {
                guard LinkList.isAlwaysEmpty(for: cid.codec) else {
                    throw LinkList.unsupported(cid.codec).about(cid)
                }
                throw notFound(index, in: cid, "the block has no links")
            }
            return true
        case .shardOnPath, .shard:
            guard cid.codec == Codec.dagPB else {
                throw IPLDError(
                    .malformedBlock,
                    "a directory leads to a shard that is none",
                    cid: cid
                )
            }
            return true
        case .all:
            guard !LinkList.isAlwaysEmpty(for: cid.codec) else { return false }
            guard LinkList.areFound(in: cid.codec) else {
                guard !passesUnknownCodecs else { return false }
                throw LinkList.unsupported(cid.codec).about(cid)
            }
            return true
        case .entity: return request.scope == .entity && cid.codec == Codec.dagPB
        case .filePart, .wholeFile:
            guard cid.codec == Codec.dagPB || cid.codec == Codec.raw else {
                throw IPLDError(
                    .malformedBlock,
                    "a file leads to a block of another kind",
                    cid: cid
                )
            }
            return cid.codec == Codec.dagPB
        }
    }

    /// Returns the error for a segment that names nothing.
    func notFound(_ index: Int, in cid: CID, _ why: String) -> IPLDError {
        IPLDError(
            .pathNotFound,
            "\"\(request.path.segments[index])\" of the path is not there: \(why)",
            cid: cid
        )
    }
}
