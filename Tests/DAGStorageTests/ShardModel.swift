import DAGBytes
import DAGCAR
import DAGHashing
import DAGMultiformats
import DAGStorage
import TestSupport

/// What a CAR must look like through a lease.
struct ShardModel: Sendable {
    let builder: CARBuilder
    /// Where the payload starts in the file.
    let dataOffset: UInt64
    private let sections: [Section]
    private let first: [Multihash: Int]

    init(_ builder: CARBuilder, dataOffset: UInt64 = 0) {
        self.builder = builder
        self.dataOffset = dataOffset
        sections = builder.sections
        var first: [Multihash: Int] = [:]
        for (index, block) in builder.blocks.enumerated() where first[block.cid.multihash] == nil {
            first[block.cid.multihash] = index
        }
        self.first = first
    }

    /// The payload's size.
    var payloadSize: UInt64 {
        sections.last?.end ?? UInt64(CARHeader.encoded(roots: builder.roots).count)
    }

    /// What a lease says that is not so; empty if all is well.
    func problems(in shard: Shard, seed: UInt64 = 1) async throws -> [String] {
        var problems: [String] = []
        if shard.roots != builder.roots { problems.append("other roots") }
        if shard.blockCount != UInt64(builder.blocks.count) { problems.append("another count") }
        var cids: [CID] = []
        for try await cid in shard.cids { cids.append(cid) }
        if cids != builder.blocks.map(\.cid) { problems.append("other CIDs") }
        var generator = SplitMix64(seed: seed)
        let indices = builder.blocks.indices
        // In CAR order, where a walk goes on from the last section, and in any order.
        for index in Array(indices) + indices.shuffled(using: &generator) {
            try check(builder.blocks[index].cid, in: shard, &problems)
        }
        for index in indices.shuffled(using: &generator).prefix(50) {
            let multihash = builder.blocks[index].cid.multihash
            try check(CID(codec: 0x0202, multihash: multihash), in: shard, &problems)
        }
        try checkMisses(in: shard, &generator, &problems)
        try checkBatches(in: shard, &generator, &problems)
        return problems.prefix(20).map(\.self)
    }

    private func check(_ cid: CID, in shard: Shard, _ problems: inout [String]) throws {
        guard let index = first[cid.multihash] else { return }
        let section = sections[index]
        if try !shard.contains(cid) { problems.append("\(index): is not there") }
        let location = try shard.location(of: cid)
        if location?.offset != section.offset || location?.size != section.dataSize
            || location?.blockOffset != dataOffset + section.dataOffset
        {
            problems.append("\(index): \(String(describing: location)), not \(section)")
        }
        guard let block = try shard.blockIfLocal(for: cid) else {
            problems.append("\(index): no block")
            return
        }
        let data = cid.isIdentity ? cid.digest : builder.blocks[index].data
        if try block.copiedBytes != data { problems.append("\(index): other bytes") }
        if block.cid != cid || block.size != data.count { problems.append("\(index): another CID") }
        let isProven =
            cid.isIdentity
            || [UInt8]().withView { BlockHash.digest(cid.hashCode, of: $0) } != nil
                && cid.digest.count >= 20
        do {
            _ = try block.verified()
            if !isProven { problems.append("\(index): is verified") }
        } catch let error as DAGStoreError {
            let isExpected =
                error.code == .unsupportedHash && !isProven
            if !isExpected { problems.append("\(index): \(error)") }
        }
    }

    /// Many at once must be what they are one by one, in order, whoever stands beside whom.
    private func checkBatches(
        in shard: Shard,
        _ generator: inout SplitMix64,
        _ problems: inout [String]
    ) throws {
        var cids = builder.blocks.map(\.cid)
        for _ in 0...cids.count / 3 {
            let absent = Multihash(code: HashCode.sha2_256, digest: generator.bytes(32))
            cids.append(CID(codec: Codec.raw, multihash: absent))
        }
        cids.shuffle(using: &generator)
        var start = 0
        while start < cids.count {
            let batch = Array(cids[start..<min(cids.count, start + Int(generator.next() % 20))])
            start += max(1, batch.count)
            let together = try shard.blocksIfLocal(for: batch)
            let alone = try batch.map { try shard.blockIfLocal(for: $0) }
            let isSame = try zip(together, alone).allSatisfy { one, other in
                try one?.cid == other?.cid && one?.copiedBytes == other?.copiedBytes
            }
            if together.count != batch.count || !isSame { problems.append("a batch at \(start)") }
        }
    }

    private func checkMisses(
        in shard: Shard,
        _ generator: inout SplitMix64,
        _ problems: inout [String]
    ) throws {
        var absent = (0..<300).map { _ in
            Multihash(code: HashCode.sha2_256, digest: generator.bytes(32))
        }
        // Neighbours of what is there: a bit away, longer, shorter, under another hash function.
        for block in builder.blocks.shuffled(using: &generator).prefix(50) {
            var digest = block.cid.digest
            let code = block.cid.hashCode
            absent.append(Multihash(code: code ^ 1, digest: digest))
            absent.append(Multihash(code: code, digest: digest + [0]))
            guard !digest.isEmpty else { continue }
            digest[digest.count - 1] ^= 1
            absent.append(Multihash(code: code, digest: digest))
            absent.append(Multihash(code: code, digest: digest.dropLast()))
        }
        for multihash in absent where first[multihash] == nil {
            let cid = CID(codec: Codec.raw, multihash: multihash)
            if try shard.location(of: cid) != nil { problems.append("\(cid) is found") }
            // The block of an identity CID is in the CID.
            let isHere = multihash.code == HashCode.identity
            if try shard.contains(cid) != isHere { problems.append("\(cid) is contained") }
            if try (shard.blockIfLocal(for: cid) != nil) != isHere {
                problems.append("\(cid) has a block")
            }
        }
    }
}

/// Shapes of CAR files.
enum CARShape: String, CaseIterable, Sendable {
    case versionOne, versionTwo, indexed, indexedWithIdentity, indexedSorted, padded
    case empty, emptyVersionTwo, single, small, uniform

    /// The blocks.
    func builder(seed: UInt64) -> CARBuilder {
        switch self {
        case .empty, .emptyVersionTwo: CARBuilder()
        case .single: CARBuilder(blocks: [.raw([1, 2, 3])])
        case .small: .mixed(seed: seed)
        case .uniform: .uniform(sections: 700, blockSize: 40, seed: seed)
        default: .manyMixed(seed: seed)
        }
    }

    /// The file.
    func bytes(of builder: CARBuilder) -> [UInt8] {
        switch self {
        case .versionTwo, .emptyVersionTwo: builder.encoded(version: 2)
        case .indexed: builder.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        case .indexedSorted: builder.encoded(version: 2, indexCodec: CARIndex.sorted)
        case .indexedWithIdentity:
            builder.encoded(
                version: 2,
                indexCodec: CARIndex.multihashSorted,
                storesIdentity: true
            )
        // What follows the first zero is ignored, whatever it is.
        case .padded: builder.encoded() + [0, 0, 0, 0xff, 0xff]
        default: builder.encoded()
        }
    }

    /// What must be answered about it.
    func model(of builder: CARBuilder) -> ShardModel {
        let isVersionTwo = bytes(of: builder).starts(with: CARLayout.pragma)
        return ShardModel(builder, dataOffset: isVersionTwo ? CARLayout.dataOffsetMin : 0)
    }
}

extension CARBuilder {
    /// Enough blocks of all kinds for several index pages and a locator.
    static func manyMixed(seed: UInt64) -> CARBuilder {
        var builder = CARBuilder.mixed(seed: seed)
        for number in 1..<8 {
            builder.blocks += CARBuilder.mixed(seed: seed &+ UInt64(number) << 32).blocks
        }
        var generator = SplitMix64(seed: seed)
        builder.blocks += CARBuilder.uniform(sections: 300, blockSize: 30, seed: seed).blocks
        builder.blocks.shuffle(using: &generator)
        return builder
    }
}
