import DAGMultiformats
import TestSupport

/// Seeds for the decoders of DAGs.
extension FuzzSeeds {
    private static let leaf = CARBuilder.Block.raw([1, 2, 3]).cid
    private static let inline = CARBuilder.Block.identity([7]).cid

    static func dagPB() -> [(String, [UInt8])] {
        [
            ("empty", []), ("data", DAGBlocks.dagPBBytes([], data: [1, 2])),
            ("directory", DAGBlocks.directory([("a", leaf), ("b", inline)]).data),
            ("file", DAGBlocks.file([(leaf, 3), (leaf, 3)]).data),
            ("bare-links", DAGBlocks.dagPBBytes([.init(leaf, name: nil, totalSize: nil)])),
            ("data-first", [0x0a, 0] + DAGBlocks.dagPBBytes([.init(leaf)])),
        ]
    }

    private static func link(_ cid: CID) -> [UInt8] {
        let size = UInt8(cid.bytes.count + 1)
        return [0xd8, 0x2a] + (size < 24 ? [0x40 | size] : [0x58, size]) + [0] + cid.bytes
    }

    static func dagCBOR() -> [(String, [UInt8])] {
        let map: [UInt8] = [0xa2, 0x61, 0x61] + link(leaf) + [0x61, 0x62, 0x82, 0x18, 0x64, 0xf6]
        return [
            ("null", [0xf6]), ("list", [0x82] + link(leaf) + link(inline)), ("map", map),
            ("numbers", [0x84, 0x19, 1, 0, 0x20, 0xf5, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
            ("nested", [0x81, 0x81, 0xa1, 0x60, 0x81, 0x41, 0xff]),
        ]
    }

    static func dagJSON() -> [(String, [UInt8])] {
        [
            ("null", "null"), ("links", #"[{"/":"\#(leaf)"},{"/":"\#(inline)"}]"#),
            (
                "map",
                #"{"a":{"/":{"bytes":"AQID"}},"b":[1,-2.5e3,true],"c":"\u00e9\ud83d\ude00\n"}"#
            ),
            ("nested", #"[[{"":[[]]}]]"#),
        ].map { ($0, Array($1.utf8)) }
    }

    static func unixFS() -> [(String, [UInt8])] {
        let shard = DAGBlocks.unixFS(5, data: [0x10, 0x08], hashType: 0x22, fanout: 16)
        let links = [DAGBlocks.Link(leaf, name: "3"), .init(leaf, name: "Chello")]
        return [
            ("shard", DAGBlocks.dagPBBytes(links, data: shard)),
            ("file", DAGBlocks.file([(leaf, 3)]).data),
            ("data", DAGBlocks.unixFS(2, data: [5], fileSize: 4, blockSizes: [3])),
            (
                "time",
                DAGBlocks.unixFS(4, data: [0x61])
                    + DAGBlocks.field(8, DAGBlocks.field(1, 5) + [0x15, 1, 0, 0, 0])
            ),
        ]
    }

    static func traversals() -> [(String, [UInt8])] {
        let directory = DAGBlocks.directory([("a", DAGBlocks.directory([]).cid), ("0", leaf)]).data
        let file = DAGBlocks.file([(leaf, 3), (DAGBlocks.file([]).cid, 20)]).data
        return [
            ("all", [0] + directory), ("path", [4] + directory), ("entity", [8] + file),
            ("range", [0x28] + file), ("duplicates", [0x40] + directory),
            ("cbor", [1] + dagCBOR()[1].1), ("cbor-path", [5] + dagCBOR()[2].1),
            ("json", [2] + dagJSON()[1].1), ("json-path", [6] + dagJSON()[2].1),
        ]
    }
}
