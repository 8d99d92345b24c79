package import DAGBytes
package import DAGMultiformats
internal import ShardIndex

/// The block of one CID of a batch: its place, without its bytes.
package struct BatchBlock: Sendable {
    /// The offset of the bytes in the payload; in the CID, if the block is there.
    fileprivate let offset: UInt64
    /// The size in bytes.
    package let size: UInt64
    /// Whether the block is in its CID, and in no section.
    package let isIdentity: Bool

    fileprivate init(_ section: Section) {
        offset = section.dataOffset
        size = section.dataSize
        isIdentity = false
    }

    fileprivate init(identity layout: CIDLayout) {
        offset = UInt64(layout.digestOffset)
        size = UInt64(layout.digestSize)
        isIdentity = true
    }
}

/// Many binary CIDs at once.
extension Shard {
    /// Finds the blocks of many binary CIDs; an error of one CID leaves the others.
    ///
    /// *Cost*: in random order, a third of single searches: the call overlaps eight memory reads.
    ///
    /// - Parameters:
    ///   - count: The number of CIDs.
    ///   - cid: Returns the bytes and the parts of a CID, which stay valid during the call; nil if it is malformed.
    ///   - body: Receives the index of each CID that is not malformed, in order, the CID, its block, and its error;
    ///     neither of these if the shard lacks the block.
    package func findBlocks(
        count: Int,
        cid: (Int) -> (ByteView, CIDLayout)?,
        _ body: (Int, ByteView, BatchBlock?, (any Error)?) -> Void
    ) {
        var start = 0
        while start < count {
            let size = min(count - start, ShardReader.batchSize)
            if !findTogether(start, size, cid, body) {
                for index in start..<start + size {
                    guard let (bytes, layout) = cid(index) else { continue }
                    do {
                        body(index, bytes, try findOne(bytes, layout), nil)
                    } catch {
                        body(index, bytes, nil, error)
                    }
                }
            }
            start += size
        }
    }

    /// Finds some blocks with one search.
    ///
    /// - Returns: Whether it found them; false, without a call of `body`, if one of the CIDs needs a search of its own.
    private func findTogether(
        _ start: Int,
        _ count: Int,
        _ cid: (Int) -> (ByteView, CIDLayout)?,
        _ body: (Int, ByteView, BatchBlock?, (any Error)?) -> Void
    ) -> Bool {
        guard let (bytes, layout) = cid(start), !layout.isIdentity else { return false }
        var views = InlineArray<8, ByteView>(repeating: bytes)
        var layouts = InlineArray<8, CIDLayout>(repeating: layout)
        for place in 1..<count {
            guard let (bytes, layout) = cid(start + place), !layout.isIdentity else { return false }
            views[place] = bytes
            layouts[place] = layout
        }
        var found = InlineArray<8, BatchBlock?>(repeating: nil)
        do {
            try reading { reader in
                try reader.sections(
                    count: count,
                    withCID: { place, use in try use(views[place], layouts[place]) },
                    { found[$0] = $1.map { BatchBlock($0) } }
                )
            }
        } catch {
            return false
        }
        for place in 0..<count { body(start + place, views[place], found[place], nil) }
        return true
    }

    private func findOne(_ cid: ByteView, _ layout: CIDLayout) throws -> BatchBlock? {
        guard !layout.isIdentity else {
            try checkHeld()
            return BatchBlock(identity: layout)
        }
        return try reading { try $0.section(of: cid, layout: layout).map { BatchBlock($0) } }
    }

    /// Returns the bytes of a block where they lie in memory, without a reference; nil if they are elsewhere.
    ///
    /// The bytes stay while the lease does. Another program may make their file shorter.
    package func viewInMemory(of block: BatchBlock) throws(DAGStoreError) -> ByteView? {
        guard !block.isIdentity else { return nil }
        return try reading { reader in
            guard reader.isInMemory else { return nil }
            let start = Int(block.offset)
            return reader.memory[start..<start + Int(block.size)]
        }
    }

    /// Returns the bytes of a block from any source; the thread waits for a remote source.
    ///
    /// - Parameters:
    ///   - block: A block of `findBlocks`.
    ///   - cid: Its CID, as `findBlocks` passed it.
    /// - Returns: The bytes.
    /// - Throws: As `block(for:)`.
    package func bytes(
        of block: BatchBlock,
        _ cid: ByteView
    ) throws(DAGStoreError) -> BlockBytes {
        guard !block.isIdentity else {
            return BlockBytes(copying: cid[Int(block.offset)..<cid.count])
        }
        return try reading { try $0.bytesBlocking(at: block.offset, size: block.size) }
    }

    /// Returns the offsets of all sections with the multihash of a binary CID, in CAR order.
    ///
    /// *Cost*: as `location(of:)`. If the CAR repeats any multihash, the call decodes all index pages.
    ///
    /// - Returns: The offsets of the sections in the payload, in bytes.
    /// - Throws: As `location(of:)`.
    package func offsets(of cid: ByteView, _ layout: CIDLayout) throws(DAGStoreError) -> [UInt64] {
        guard let first = try location(of: cid, layout)?.offset else { return [] }
        return try reading { reader in
            guard !reader.root.isFreeOfDuplicates else { return [first] }
            let digest = cid[layout.digestOffset..<cid.count]
            var offsets: [UInt64] = []
            for number in reader.root.pages.indices {
                let page = try reader.index.page(number)
                for slot in 0..<page.count
                where page.matches(slot, hashCode: layout.hashCode, digest: digest) {
                    offsets.append(page.offset(of: slot))
                }
            }
            return offsets
        }
    }
}
