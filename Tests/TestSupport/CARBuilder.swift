internal import DAGBytes
package import DAGCAR
internal import DAGHashing
package import DAGMultiformats

/// A CAR made in memory of blocks that a seed decides.
package struct CARBuilder: Sendable {
    /// One block.
    package struct Block: Equatable, Sendable {
        /// Its CID; whether it is the data's is up to whoever makes the block.
        package var cid: CID
        /// Its data.
        package var data: [UInt8]

        package init(cid: CID, data: [UInt8]) {
            self.cid = cid
            self.data = data
        }
    }

    /// The roots in header order.
    package var roots: [CID]
    /// The blocks in file order.
    package var blocks: [Block]

    package init(roots: [CID] = [], blocks: [Block] = []) {
        self.roots = roots
        self.blocks = blocks
    }

    /// Raw blocks of one size, named by sha2-256; the first one is the root.
    package static func uniform(sections: Int, blockSize: Int, seed: UInt64) -> CARBuilder {
        var generator = SplitMix64(seed: seed)
        let blocks = (0..<sections).map { _ in
            Block.raw(generator.bytes(blockSize))
        }
        return CARBuilder(roots: blocks.prefix(1).map(\.cid), blocks: blocks)
    }

    /// One block at least of every kind that a CAR may hold, in an order that the seed decides.
    ///
    /// Blocks whose hash function is known here hash to their CIDs.
    package static func mixed(seed: UInt64) -> CARBuilder {
        var generator = SplitMix64(seed: seed)
        var blocks = Block.everyKind(&generator)
        let repeated = blocks.shuffled(using: &generator).prefix(4)
        blocks += repeated
        // A block under a CID of version 0, and once more under version 1: one multihash.
        blocks += blocks.filter { $0.cid.version == 0 }.map {
            Block(cid: CID(codec: Codec.raw, multihash: $0.cid.multihash), data: $0.data)
        }
        blocks.shuffle(using: &generator)
        return CARBuilder(roots: blocks.prefix(2).map(\.cid), blocks: blocks)
    }

    /// The CAR as version 1.
    package var bytes: [UInt8] { encoded() }

    /// The CAR as `CARWriter` writes it.
    package func encoded(
        version: UInt64 = 1,
        indexCodec: UInt64? = nil,
        storesIdentity: Bool = false
    ) -> [UInt8] {
        var writer = CARWriter(
            version: version,
            roots: roots,
            indexCodec: indexCodec,
            storesIdentity: storesIdentity
        )
        var bytes = writer.start()
        for block in blocks {
            bytes += writer.prefix(for: block.cid, dataSize: block.data.count)
            bytes += block.data
        }
        let ending = writer.finish()
        bytes += ending.trailer
        let headerOffset = CARWriter.Ending.headerOffset
        bytes.replaceSubrange(
            headerOffset..<headerOffset + ending.header.count,
            with: ending.header
        )
        return bytes
    }

    /// Where the sections are, reckoned from the blocks and not read from the bytes.
    package var sections: [Section] {
        var offset = UInt64(CARHeader.encoded(roots: roots).count)
        return blocks.map { block in
            let length = UInt64(block.cid.bytes.count + block.data.count)
            let section = Section(
                offset: offset,
                prefixSize: Varint.size(of: length),
                length: length,
                cid: block.cid.layout
            )
            offset = section.end
            return section
        }
    }
}

extension CARBuilder.Block {
    /// A raw block, named by its sha2-256.
    package static func raw(_ data: [UInt8]) -> Self {
        hashed(data, codec: Codec.raw, hashCode: HashCode.sha2_256)
    }

    /// A block whose CID is its data.
    package static func identity(_ data: [UInt8]) -> Self {
        Self(
            cid: CID(codec: Codec.raw, multihash: Multihash(code: HashCode.identity, digest: data)),
            data: data
        )
    }

    /// A block under a CID of version 0.
    package static func versionZero(_ data: [UInt8]) -> Self {
        let digest = digest(of: data, hashCode: HashCode.sha2_256)
        return Self(cid: CID(bytes: [0x12, 0x20] + digest, layout: .versionZero), data: data)
    }

    /// A block named by a digest that is cut to `digestSize`, if one is given.
    package static func hashed(
        _ data: [UInt8],
        codec: UInt64,
        hashCode: UInt64,
        digestSize: Int? = nil
    ) -> Self {
        let full = digest(of: data, hashCode: hashCode)
        let cut = Array(full.prefix(digestSize ?? full.count))
        let multihash = Multihash(code: hashCode, digest: cut)
        return Self(cid: CID(codec: codec, multihash: multihash), data: data)
    }

    private static func digest(of data: [UInt8], hashCode: UInt64) -> [UInt8] {
        guard let digest = data.withView({ BlockHash.digest(hashCode, of: $0) }) else {
            preconditionFailure("hash function 0x\(String(hashCode, radix: 16)) is not known here")
        }
        return digest
    }

    /// A block of every kind there is.
    fileprivate static func everyKind(_ generator: inout SplitMix64) -> [Self] {
        func data() -> [UInt8] { generator.bytes(Int.random(in: 1...300, using: &generator)) }
        var blocks = [0, 1, 2, 3, 8, 31, 32, 33, 93, 94, 127, 128, 300, 2049].map {
            identity(generator.bytes($0))
        }
        blocks += [
            raw([]), raw(data()), raw(generator.bytes(3000)),
            versionZero([]), versionZero(data()),
            hashed(data(), codec: Codec.dagCBOR, hashCode: HashCode.blake2b_256),
            hashed(data(), codec: Codec.dagPB, hashCode: HashCode.blake2b_512),
            hashed(data(), codec: Codec.raw, hashCode: HashCode.blake2b_8),
            hashed(data(), codec: Codec.dagJSON, hashCode: HashCode.sha2_512),
            hashed(data(), codec: Codec.raw, hashCode: HashCode.sha1),
            hashed(data(), codec: Codec.raw, hashCode: HashCode.sha3_256),
            hashed(data(), codec: Codec.raw, hashCode: HashCode.sha2_256, digestSize: 20),
            hashed(data(), codec: Codec.raw, hashCode: HashCode.sha2_512, digestSize: 32),
            hashed(data(), codec: 0x7fff_ffff_ffff_ffff, hashCode: HashCode.sha2_256),
            hashed(data(), codec: 0x3f42, hashCode: HashCode.sha2_256),
        ]
        for code in [0xb401, 0x7f, 0x4000, 0x7fff_ffff_ffff_ffff] as [UInt64] {
            let multihash = Multihash(code: code, digest: generator.bytes(32))
            blocks.append(Self(cid: CID(codec: Codec.raw, multihash: multihash), data: data()))
        }
        return blocks
    }
}
