#if Node
    import DAGBytes
    import DAGCAR
    import DAGHashing
    import DAGMultiformats
    import Foundation
    import TestSupport

    /// The fixtures of gateway-conformance, and the CIDs in them.
    ///
    /// Each list is the order of a depth-first walk, worked out by another program from the blocks.
    enum Fixtures {
        static let subdirectory = "bafybeietjm63oynimmv5yyqay33nui4y4wx6u3peezwetxgiwvfmelutzu"
        static let subdirectoryInner = "bafybeiggghzz6dlue3m6nb2dttnbrygxh3lrjl5764f2m4gq7dgzdt55o4"
        static let mixed = "bafybeidh6k2vzukelqtrjsmd4p52cpmltd2ufqrdtdg6yigi73in672fwu"
        static let mixedInner = "bafybeicnmple4ehlz3ostv2sbojz3zhh5q7tz5r2qkfdpqfilgggeen7xm"
        static let duplicates = "bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy"
        static let ascii = "bafkreifkam6ns4aoolg3wedr4uzrs3kvq66p4pecirz6y2vlrngla62mxm"
        static let hello = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
        /// A file of 1,026 bytes, in chunks of 256.
        static let multiblock = "bafybeigcisqd7m5nf3qmuvjdbakl5bdnh4ocrmacaqkpuh77qjvggmt2sa"
        static let chunks = [
            "bafkreie5noke3mb7hqxukzcy73nl23k6lxszxi5w3dtmuwz62wnvkpsscm",
            "bafkreih4ephajybraj6wnxsbwjwa77fukurtpl7oj7t7pfq545duhot7cq",
            "bafkreigu7buvm3cfunb35766dn7tmqyh2um62zcio63en2btvxuybgcpue",
            "bafkreicll3huefkc3qnrzeony7zcfo7cr3nbx64hnxrqzsixpceg332fhe",
            "bafkreifst3pqztuvj57lycamoi7z34b4emf7gawxs74nwrc2c7jncmpaqm",
        ]
        static let hamt = "bafybeidbclfqleg2uojchspzd4bob56dqetqjsj27gy2cq3klkkgxtpn4i"
        /// The blocks of the HAMT on the way to `685.txt` and to `1.txt`; both are `multiblock`.
        static let hamtTo685 = "bafybeifajm5xyg46n4hjxg7clq2f7vcn7eg7bn3yevylcemr6vd7mp6gta"
        static let hamtTo1 = "bafybeiawjmzmi5c6v5h75nepfpx7jj5ns5t54girned3kilvakmhctxlxy"
        static let rawDirectory = "bafybeie72edlprgtlwwctzljf6gkn2wnlrddqjbkxo3jomh4n7omwblxly"
        static let rawInner = "bafybeifaqksygmsbnqe76kwvxoqxtkzcwssq5jkhuo65ldtqiunr3bxlra"
        static let rawText = "bafkreihhpc5y2pqvl5rbe5uuyhqjouybfs3rvlmisccgzue2kkt5zq6upq"
        static let cbor = "bafyreibs4utpgbn7uqegmd2goqz4bkyflre2ek2iwv743fhvylwi4zeeim"
        static let cborFoo = "bafyreig5alecq2l2akgajxywgnv22kuxh6xcagsnelepylqovt4t5jxt6u"
        static let cborBar = "bafyreiaefvpp22slf5bzd4lqgzwbztqahwlldtqkpgmlhv7mh23pudle7y"
        static let percent = "bafybeig675grnxcmshiuzdaz2xalm6ef4thxxds6o6ypakpghm5kghpc34"
        static let percentText = "bafkreihfmctcb2kuvoljqeuphqr2fg2r45vz5cxgq5c2yrxnqg5erbitmq"
        static let unicode = "bafybeig6ka5mlwkl4subqhaiatalkcleo4jgnr3hqwvpmsqfca27cijp3i"
        static let unicodePath = [
            "bafybeig6ka5mlwkl4subqhaiatalkcleo4jgnr3hqwvpmsqfca27cijp3i",
            "bafybeidx5mxi45eqpzxsxdbz4v7gnza6f6arwhnrj5aqak2yqxhlspphta",
            "bafybeih24awytf2cmnuycs4nslllfrdzhd6yliyzgd7mxwuxcgv2gm5mda",
            "bafkreialihlqnf5uwo4byh4n3cmwlntwqzxxs2fg5vanqdi3d7tb2l5xkm",
        ]
        /// A CID that no shard has.
        static let absent = "bafkreidfdrlkeq4m4xnxuyx6iae76fdm4wgl5d4xzsb77ixhyqwumhz244"

        private static let names = [
            "trustless_gateway_car/subdir-with-two-single-block-files",
            "trustless_gateway_car/subdir-with-mixed-block-files",
            "trustless_gateway_car/single-layer-hamt-with-multi-block-files",
            "path_gateway_unixfs/dir-with-files", "gateway-raw-block",
            "path_gateway_dag/dag-cbor-traversal", "dir_listing/fixtures",
            "path_gateway_unixfs/dir-with-percent-encoded-filename",
        ]

        /// The CARs of the fixtures, by the keys of their shards.
        static func cars() throws -> [String: [UInt8]] {
            var cars: [String: [UInt8]] = [:]
            for (number, name) in names.enumerated() {
                cars["fixture-\(number)"] = try bytes(name)
            }
            return cars
        }

        private static func bytes(_ name: String) throws -> [UInt8] {
            let path = "public-repos/gateway-conformance/fixtures/\(name).car"
            return try Vectors.url(path).bytes()
        }

        /// The CIDs of the HAMT's blocks, in the order in which they lie in the fixture.
        ///
        /// The fixture's order is that of a depth-first walk without duplicates. All its other blocks are those of one
        /// file.
        static func hamtBlocks() throws -> [String] {
            try CARContent(bytes(names[2])).cids.filter { $0 != multiblock && !chunks.contains($0) }
        }

        /// The CIDs of all blocks below the HAMT's root, in the order in which they lie in the fixture.
        static func hamtAll() throws -> [String] { try CARContent(bytes(names[2])).cids }

        /// The bytes of a block in the fixtures.
        static func block(_ cid: String) throws -> [UInt8] {
            for name in names {
                let car = try bytes(name)
                let found = try car.withView { view throws -> [UInt8]? in
                    var offset = try CARLayout(reading: view).headerSize
                    while let section = Section.reading(view, at: offset) {
                        let own = try CID(view[Int(section.cidOffset)..<Int(section.dataOffset)])
                        if own.description == cid {
                            return view[Int(section.dataOffset)..<Int(section.end)].copied
                        }
                        offset = section.end
                    }
                    return nil
                }
                if let found { return found }
            }
            throw Missing(cid: cid)
        }

        private struct Missing: Error { var cid: String }
    }

    /// A UnixFS file of raw leaves under one dag-pb node.
    struct LeafFile {
        let root: CARBuilder.Block
        let leaves: [CARBuilder.Block]

        /// A file larger than all that sockets and NIO hold.
        static let large = LeafFile(count: 96, size: 256 << 10, seed: 2)

        /// Makes a file of `count` leaves of `size` bytes, each with a random beginning.
        init(count: Int, size: Int, seed: UInt64) {
            var generator = SplitMix64(seed: seed)
            leaves = (0..<count).map { _ in
                let beginning = generator.bytes(min(size, 64))
                return .raw(beginning + [UInt8](repeating: 7, count: size - beginning.count))
            }
            var data = Message()
            data.append(1, varint: 2)
            data.append(3, varint: UInt64(count * size))
            for _ in leaves { data.append(4, varint: UInt64(size)) }
            var node = Message()
            for leaf in leaves {
                var link = Message()
                link.append(1, bytes: leaf.cid.bytes)
                link.append(2, bytes: [])
                link.append(3, varint: UInt64(size))
                node.append(2, bytes: link.bytes)
            }
            node.append(1, bytes: data.bytes)
            root = .hashed(node.bytes, codec: Codec.dagPB, hashCode: HashCode.sha2_256)
        }

        /// A CAR of the file, without some of its leaves.
        func car(without missing: Set<Int> = []) -> [UInt8] {
            let kept = leaves.enumerated().filter { !missing.contains($0.offset) }.map(\.element)
            return CARBuilder(roots: [root.cid], blocks: [root] + kept).bytes
        }

        /// A protobuf message.
        private struct Message {
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
    }
#endif
