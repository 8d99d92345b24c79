internal import DAGBytes
internal import DAGIPLD
internal import DAGMultiformats

extension FuzzCheck {
    // MARK: Codecs

    static func checkDagPB(_ input: ByteView) throws(Contradiction) {
        try checkLinks(input, Codec.dagPB)
        guard let node = try? DagPBNode(decoding: input) else { return }
        // The canonical form has one encoding, but for the place of the data.
        var links: [UInt8] = []
        for link in node.links {
            var message = field(1, input[link.cid].copied)
            if let name = link.name { message += field(2, input[name].copied) }
            if let size = link.totalSize { message += varint(3 << 3) + varint(size) }
            links += field(2, message)
        }
        let data = node.data.map { field(1, input[$0].copied) } ?? []
        let isDataFirst = (node.data?.lowerBound ?? 0) < node.links.first?.cid.lowerBound ?? 0
        let encoded = isDataFirst ? data + links : links + data
        let isSame = encoded.withView { $0.elementsEqual(input) }
        try require(isSame, "a block of dag-pb that is not what was read of it")
    }

    private static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Reads the links of a block in canonical form, and in any form.
    static func checkLinks(_ input: ByteView, _ codec: UInt64) throws(Contradiction) {
        guard let strict = try? LinkList(of: input, codec: codec) else { return }
        var limits = DAGLimits()
        limits.requiresCanonicalForm = false
        guard let lenient = try? LinkList(of: input, codec: codec, limits: limits) else {
            throw Contradiction(description: "a canonical block that is malformed")
        }
        try require(strict.count == lenient.count, "links that depend on the form")
        for index in 0..<strict.count {
            let cid = strict[index]
            try require(cid == lenient[index], "a link that depends on the form")
            try require((try? CID(bytes: cid.bytes)) == cid, "a link that is no CID")
        }
        limits.linksMax = max(0, strict.count - 1)
        let isBounded =
            strict.isEmpty || (try? LinkList(of: input, codec: codec, limits: limits)) == nil
        try require(isBounded, "more links than the limit")
    }

    // MARK: UnixFS

    static func checkUnixFS(_ input: ByteView) throws(Contradiction) {
        // The input as the data alone, and as a block with data.
        if let node = try? UnixFSNode(decoding: input) { try check(node, input) }
        guard let block = try? DagPBNode(decoding: input) else { return }
        let data = block.data.map { input[$0] } ?? .empty
        guard let node = try? UnixFSNode(decoding: data) else { return }
        try check(node, data)
        guard let shard = try? HAMTShard(block, node, in: input) else { return }
        try require(shard.entries.count == block.links.count, "entries that are not the links")
        for case .entry(let link, let name) in shard.entries {
            try require(input.count >= name.upperBound, "a name outside the block")
            guard let found = try? shard.find(input[name], level: 0, in: input) else { continue }
            if case .entry(_, let other) = found {
                let isSame = input[other].elementsEqual(input[name])
                try require(isSame, "another name was found for \(link)")
            }
        }
    }

    private static func check(_ node: UnixFSNode, _ data: ByteView) throws(Contradiction) {
        try require(node.data?.upperBound ?? 0 <= data.count, "content outside the data")
        guard let size = try? node.contentSize(linkCount: node.blockSizes.count) else { return }
        try require(size >= UInt64(node.data?.count ?? 0), "a file smaller than its own bytes")
        try require(node.fileSize ?? size == size, "a size that contradicts the parts")
    }

    // MARK: Traversals

    /// Walks a DAG in which every block has the same bytes: what follows the first byte, which chooses the request.
    static func checkTraversal(_ input: ByteView) throws(Contradiction) {
        guard input.count > 1 else { return }
        let selector = input[0]
        let block = input[1..<input.count]
        let codecs = [Codec.dagPB, Codec.dagCBOR, Codec.dagJSON, Codec.raw]
        let multihash = Multihash(
            code: HashCode.sha2_256,
            digest: Array(repeating: selector, count: 32)
        )
        var request = DAGRequest(
            root: CID(codec: codecs[Int(selector & 3)], multihash: multihash),
            path: selector & 4 == 0 ? .empty : IPLDPath(["a", "0"]),
            scope: [.all, .entity, .block, .entity][Int(selector >> 3 & 3)],
            entityBytes: selector & 32 == 0 ? nil : EntityBytes(from: -7, to: -2),
            sendsDuplicates: selector & 64 != 0
        )
        request.limits.depthMax = 50
        request.limits.pendingSizeMax = 1 << 16
        var traversal = DAGTraversal(request)
        var emitted: Set<CID> = []
        var count = 0
        do throws(IPLDError) {
            while count < 300 {
                let visits = try traversal.nextVisits(limit: 7)
                guard let last = visits.last else { break }
                count += visits.count
                for visit in visits where visit.isEmitted && !request.sendsDuplicates {
                    guard emitted.insert(visit.cid).inserted else {
                        throw IPLDError(.unsupportedCodec, repeatedBlock, cid: visit.cid)
                    }
                }
                if last.isDecoded { try traversal.receive(block) }
            }
        } catch {
            try require(error.message != repeatedBlock, "a block twice")
            let rest = try? traversal.nextVisits(limit: 1)
            try require(rest?.isEmpty ?? false, "a walk that goes on after an error")
        }
        let named = emitted.filter(\.isIdentity)
        try require(named.isEmpty, "an identity CID was named")
    }

    private static let repeatedBlock = "repeated"
}
