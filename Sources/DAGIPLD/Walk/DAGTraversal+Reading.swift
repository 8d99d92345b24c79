internal import DAGBytes
internal import DAGMultiformats

/// What follows from the bytes of a block.
extension DAGTraversal {
    /// Reads a block for its role.
    mutating func read(_ block: ByteView, _ cid: CID, _ role: Role) throws(IPLDError) {
        switch role {
        case .path(let index): try readPath(block, cid, index)
        case .shardOnPath(let index, let level, let fanout):
            let (node, unixFS) = try unixFSNode(block)
            let shard = try shard(node, unixFS, block, fanout)
            try find(index, in: shard, level: level, block, node, cid)
        case .all:
            let links = try LinkList(of: block, codec: cid.codec, limits: request.limits)
            try push(Frame(links: links, role: .all))
        case .entity: try readEntity(block)
        case .filePart(let start, let size): try readFile(block, start: start, size: size)
        case .wholeFile: try readFile(block, start: 0, size: nil)
        case .shard(let level, let fanout):
            let (node, unixFS) = try unixFSNode(block)
            try push(try shard(node, unixFS, block, fanout), level: level, node, block)
        }
    }

    // MARK: Paths

    private mutating func readPath(
        _ block: ByteView,
        _ cid: CID,
        _ index: Int
    ) throws(IPLDError) {
        let segments = request.path.segments[index...]
        let step: PathStep
        switch cid.codec {
        case Codec.dagCBOR:
            var reader = try DagCBORReader(block, request.limits)
            step = try reader.follow(segments)
        case Codec.dagJSON:
            var reader = try DagJSONReader(block, request.limits)
            step = try reader.follow(segments)
        default: return try readDirectory(block, cid, index)
        }
        switch step {
        case .link(let next, let count): single = (next, .path(index: index + count))
        case .value:
            throw IPLDError(
                .pathNotALink,
                "the path ends at a value inside the block that is no link",
                cid: cid
            )
        case .nothing(let place): throw notFound(place, in: cid, "the block does not have it")
        case .leaf(let place): throw notFound(place, in: cid, "the value before has no parts")
        }
    }

    private mutating func readDirectory(
        _ block: ByteView,
        _ cid: CID,
        _ index: Int
    ) throws(IPLDError) {
        let node = try DagPBNode(decoding: block, limits: request.limits)
        // Links of dag-pb have names also where the data are not UnixFS.
        let data = node.data.map { block[$0] } ?? .empty
        guard let unixFS = try? UnixFSNode(decoding: data, limits: request.limits),
            unixFS.kind != .directory
        else {
            guard let link = node.link(named: request.path.segments[index], in: block) else {
                throw notFound(index, in: cid, "the directory does not have it")
            }
            single = (node.cid(of: link, in: block), .path(index: index + 1))
            return
        }
        guard unixFS.kind == .hamtShard else {
            throw notFound(index, in: cid, "a \(unixFS.kind) has no entries")
        }
        let shard = try HAMTShard(node, unixFS, in: block)
        try find(index, in: shard, level: 0, block, node, cid)
    }

    private mutating func find(
        _ index: Int,
        in shard: HAMTShard,
        level: Int,
        _ block: ByteView,
        _ node: DagPBNode,
        _ cid: CID
    ) throws(IPLDError) {
        let name = Array(request.path.segments[index].utf8)
        let found = try name.withView { name throws(IPLDError) in
            try shard.find(name, level: level, in: block)
        }
        switch found {
        case .entry(let link, _): single = (node.cid(of: link, in: block), .path(index: index + 1))
        case .shard(let link):
            let role = Role.shardOnPath(index: index, level: level + 1, fanout: shard.fanout)
            single = (node.cid(of: link, in: block), role)
        case nil: throw notFound(index, in: cid, "the directory does not have it")
        }
    }

    // MARK: Entities

    private func unixFSNode(_ block: ByteView) throws(IPLDError) -> (DagPBNode, UnixFSNode) {
        let node = try DagPBNode(decoding: block, limits: request.limits)
        let data = node.data.map { block[$0] } ?? .empty
        return (node, try UnixFSNode(decoding: data, limits: request.limits))
    }

    /// Reads the block at the end of the path, of codec dag-pb.
    private mutating func readEntity(_ block: ByteView) throws(IPLDError) {
        let node = try DagPBNode(decoding: block, limits: request.limits)
        let data = node.data.map { block[$0] } ?? .empty
        // What is not UnixFS is nothing but its block.
        guard let unixFS = try? UnixFSNode(decoding: data, limits: request.limits) else { return }
        switch unixFS.kind {
        case .directory, .symlink, .metadata: return
        case .hamtShard:
            try push(HAMTShard(node, unixFS, in: block), level: 0, node, block)
        case .file, .raw:
            guard let bytes = request.entityBytes else {
                return try push(Frame(links: node.linkList(in: block), role: .wholeFile))
            }
            let size = try unixFS.contentSize(linkCount: node.links.count)
            // A range outside of the file leaves its block.
            guard let range = bytes.range(inFileOf: size) else { return }
            self.range = range
            try pushParts(node, unixFS, block, start: 0)
        }
    }

    /// Reads a part of a file.
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - start: Where the part starts in the file.
    ///   - size: The size that the block above tells; nil if all of the file is asked for.
    /// - Throws: `.malformedBlock`, `.limitExceeded`.
    private mutating func readFile(
        _ block: ByteView,
        start: UInt64,
        size: UInt64?
    ) throws(IPLDError) {
        let (node, unixFS) = try unixFSNode(block)
        guard unixFS.isFile else {
            throw IPLDError(.malformedBlock, "a file leads to a \(unixFS.kind)")
        }
        guard let size else {
            return try push(Frame(links: node.linkList(in: block), role: .wholeFile))
        }
        let own = try unixFS.contentSize(linkCount: node.links.count)
        guard own == size else {
            throw IPLDError(
                .malformedBlock,
                "a part of a file has \(own) bytes, and the block above tells \(size)"
            )
        }
        try pushParts(node, unixFS, block, start: start)
    }

    private mutating func pushParts(
        _ node: DagPBNode,
        _ unixFS: UnixFSNode,
        _ block: ByteView,
        start: UInt64
    ) throws(IPLDError) {
        // `contentSize` found that the sum has 64 bits; a part lies inside the file, whose sum has too.
        var offsets: [UInt64] = [start + UInt64(unixFS.data?.count ?? 0)]
        offsets.reserveCapacity(unixFS.blockSizes.count + 1)
        for size in unixFS.blockSizes { offsets.append((offsets.last ?? 0) + size) }
        let role = Role.filePart(start: 0, size: 0)
        try push(Frame(links: node.linkList(in: block), role: role, offsets: offsets))
    }

    // MARK: Sharded directories

    private func shard(
        _ node: DagPBNode,
        _ unixFS: UnixFSNode,
        _ block: ByteView,
        _ fanout: Int
    ) throws(IPLDError) -> HAMTShard {
        guard unixFS.kind == .hamtShard, unixFS.fanout == UInt64(fanout) else {
            throw IPLDError(.malformedBlock, "a directory leads to a shard of another kind")
        }
        return try HAMTShard(node, unixFS, in: block)
    }

    /// Puts the shards below on the stack; entries are no part of the directory itself.
    private mutating func push(
        _ shard: HAMTShard,
        level: Int,
        _ node: DagPBNode,
        _ block: ByteView
    ) throws(IPLDError) {
        try shard.checkLevel(level)
        var links = LinkList()
        for case .shard(let link) in shard.entries { links.append(block[link.cid]) }
        try push(Frame(links: links, role: .shard(level: level + 1, fanout: shard.fanout)))
    }
}
