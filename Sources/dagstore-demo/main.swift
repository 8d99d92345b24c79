// Makes a CAR of some files, as an importer would: UnixFS directories and files in dag-pb, content in raw
// leaves. For `make demo`; not part of the product.
//
//     dagstore-demo OUT.car FILE…
//
// Prints a line for each file that fits one leaf: the leaf's CID, a tab, the path.

import DAGBytes
import DAGCAR
import DAGHashing
import DAGMounts
import DAGMultiformats
import SystemPackage

/// The size of the largest leaf in bytes, as common importers have it.
let leafSize = 256 << 10

/// A protobuf message with the field types of dag-pb and UnixFS.
struct Message {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ field: UInt64, varint value: UInt64) {
        Varint.append(field << 3, to: &bytes)
        Varint.append(value, to: &bytes)
    }

    mutating func append(_ field: UInt64, bytes content: [UInt8]) {
        Varint.append(field << 3 | 2, to: &bytes)
        Varint.append(UInt64(content.count), to: &bytes)
        bytes += content
    }
}

/// A block with the sizes that its parents store.
struct Node {
    let cid: CID
    let bytes: [UInt8]
    /// The size of the content below.
    let contentSize: UInt64
    /// The size of the blocks below, this one included.
    let totalSize: UInt64
}

/// Makes a block with its CID.
func makeNode(codec: UInt64, _ bytes: [UInt8], contentSize: UInt64, below: UInt64 = 0) -> Node {
    let digest = bytes.withView { BlockHash.digest(HashCode.sha2_256, of: $0) } ?? []
    let multihash = Multihash(code: HashCode.sha2_256, digest: digest)
    return Node(
        cid: CID(codec: codec, multihash: multihash),
        bytes: bytes,
        contentSize: contentSize,
        totalSize: below + UInt64(bytes.count)
    )
}

/// Makes a dag-pb node over `children`, with links before data as dag-pb requires.
func makeParent(of children: [(name: String, node: Node)], type: UInt64) -> Node {
    var data = Message()
    data.append(1, varint: type)
    let size = children.reduce(0) { $0 + $1.node.contentSize }
    if type == 2 {
        data.append(3, varint: size)
        for child in children { data.append(4, varint: child.node.contentSize) }
    }
    var message = Message()
    for child in children {
        var link = Message()
        link.append(1, bytes: child.node.cid.bytes)
        link.append(2, bytes: Array(child.name.utf8))
        link.append(3, varint: child.node.totalSize)
        message.append(2, bytes: link.bytes)
    }
    message.append(1, bytes: data.bytes)
    let below = children.reduce(0) { $0 + $1.node.totalSize }
    return makeNode(codec: Codec.dagPB, message.bytes, contentSize: size, below: below)
}

guard CommandLine.arguments.count > 2 else {
    print("usage: dagstore-demo OUT.car FILE…")
    throw Errno.invalidArgument
}
var nodes: [Node] = []
var files: [(name: String, node: Node)] = []
for argument in CommandLine.arguments.dropFirst(2).sorted() {
    let file = try LocalFile(opening: FilePath(argument))
    let bytes = try file.read(at: 0, size: Int(file.size))
    let content = withExtendedLifetime(bytes) { bytes.view.copied }
    var leaves: [(name: String, node: Node)] = []
    for start in stride(from: 0, to: max(content.count, 1), by: leafSize) {
        let leaf = Array(content[start..<min(start + leafSize, content.count)])
        leaves.append(("", makeNode(codec: Codec.raw, leaf, contentSize: UInt64(leaf.count))))
    }
    nodes += leaves.map(\.node)
    let name = argument.split(separator: "/").joined(separator: "-")
    if leaves.count == 1 {
        print("\(leaves[0].node.cid)\t\(argument)")
        files.append((name, leaves[0].node))
    } else {
        let file = makeParent(of: leaves, type: 2)
        nodes.append(file)
        files.append((name, file))
    }
}
let root = makeParent(of: files, type: 1)
let output = try FileDescriptor.open(
    FilePath(CommandLine.arguments[1]),
    .writeOnly,
    options: [.create, .truncate],
    permissions: [.ownerReadWrite, .groupRead, .otherRead]
)
var writer = CARWriter(version: 2, roots: [root.cid], indexCodec: CARIndex.multihashSorted)
try output.writeAll(writer.start())
for node in [root] + nodes {
    try output.writeAll(writer.prefix(for: node.cid, dataSize: node.bytes.count) + node.bytes)
}
let ending = writer.finish()
try output.writeAll(ending.trailer)
try output.writeAll(toAbsoluteOffset: Int64(CARWriter.Ending.headerOffset), ending.header)
try output.close()
