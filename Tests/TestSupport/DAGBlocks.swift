internal import DAGBytes
package import DAGMultiformats

/// Blocks of DAGs, encoded here and not by the code that tests judge.
package enum DAGBlocks {
    /// A link of dag-pb.
    package struct Link: Sendable {
        package var cid: CID
        package var name: String?
        package var totalSize: UInt64?

        package init(_ cid: CID, name: String? = "", totalSize: UInt64? = 0) {
            self.cid = cid
            self.name = name
            self.totalSize = totalSize
        }
    }

    /// A block of dag-pb under a CID of version 1.
    package static func dagPB(_ links: [Link], data: [UInt8]? = nil) -> CARBuilder.Block {
        .hashed(dagPBBytes(links, data: data), codec: Codec.dagPB, hashCode: HashCode.sha2_256)
    }

    /// The bytes of a block of dag-pb.
    package static func dagPBBytes(_ links: [Link], data: [UInt8]? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        for link in links {
            var message = field(1, link.cid.bytes)
            if let name = link.name { message += field(2, Array(name.utf8)) }
            if let size = link.totalSize { message += field(3, size) }
            bytes += field(2, message)
        }
        return bytes + (data.map { field(1, $0) } ?? [])
    }

    /// The data of a UnixFS node.
    package static func unixFS(
        _ kind: UInt64,
        data: [UInt8]? = nil,
        fileSize: UInt64? = nil,
        blockSizes: [UInt64] = [],
        hashType: UInt64? = nil,
        fanout: UInt64? = nil
    ) -> [UInt8] {
        var bytes = field(1, kind)
        if let data { bytes += field(2, data) }
        if let fileSize { bytes += field(3, fileSize) }
        for size in blockSizes { bytes += field(4, size) }
        if let hashType { bytes += field(5, hashType) }
        if let fanout { bytes += field(6, fanout) }
        return bytes
    }

    /// A node of a file over parts of known sizes.
    package static func file(_ parts: [(cid: CID, size: UInt64)]) -> CARBuilder.Block {
        let sizes = parts.map(\.size)
        let data = unixFS(2, fileSize: sizes.reduce(0, +), blockSizes: sizes)
        return dagPB(parts.map { Link($0.cid, totalSize: $0.size) }, data: data)
    }

    /// A directory in one block.
    package static func directory(_ entries: [(name: String, cid: CID)]) -> CARBuilder.Block {
        dagPB(entries.map { Link($0.cid, name: $0.name) }, data: unixFS(1))
    }

    /// A file of raw leaves, with at most `width` links a node.
    ///
    /// - Returns: The blocks, the root first and the others as a walk meets them.
    package static func balancedFile(
        leaves: [[UInt8]],
        width: Int
    ) -> [CARBuilder.Block] {
        // A subtree: its blocks in the order of a walk, and the bytes of the file below it.
        var row = leaves.map { (blocks: [CARBuilder.Block.raw($0)], size: UInt64($0.count)) }
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: width).map { start in
                let parts = row[start..<min(row.count, start + width)]
                let node = file(parts.map { ($0.blocks[0].cid, $0.size) })
                return ([node] + parts.flatMap(\.blocks), parts.reduce(0) { $0 + $1.size })
            }
        }
        return row[0].blocks
    }

    /// A field of protobuf that holds bytes.
    package static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    /// A field of protobuf that holds a number.
    package static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] {
        varint(number << 3) + varint(value)
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
