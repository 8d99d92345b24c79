package import DAGBytes
package import DAGMultiformats
internal import ShardIndex

/// The block of one CID of a batch, and the way to its bytes.
package struct BatchBlock: Sendable {
    /// The size in bytes.
    package let size: UInt64
    fileprivate enum Place {
        /// The block is in its identity CID.
        case identity(BlockBytes)
        case section(Section)
    }
    fileprivate let place: Place
}

/// Many binary CIDs at once.
extension Shard {
    /// Finds the blocks of many binary CIDs; an error of one CID leaves the others.
    ///
    /// *Cost*: in random order, a third of single searches: the call overlaps eight memory reads.
    ///
    /// - Parameters:
    ///   - count: The number of CIDs.
    ///   - cid: Returns the bytes and the parts of a CID; its error becomes the result for this CID. The bytes stay
    ///     valid during the call.
    ///   - body: Receives the index of the CID, in order, and its block; nil if the shard lacks the block.
    package func findBlocks(
        count: Int,
        cid: (Int) throws -> (ByteView, CIDLayout),
        _ body: (Int, Result<BatchBlock?, any Error>) -> Void
    ) {
        var start = 0
        while start < count {
            let size = min(count - start, ShardReader.batchSize)
            if !findTogether(start, size, cid, body) {
                for index in start..<start + size {
                    body(index, Result { try findOne(try cid(index)) })
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
        _ cid: (Int) throws -> (ByteView, CIDLayout),
        _ body: (Int, Result<BatchBlock?, any Error>) -> Void
    ) -> Bool {
        var views = InlineArray<8, ByteView>(repeating: .empty)
        var layouts = InlineArray<8, CIDLayout?>(repeating: nil)
        var found = InlineArray<8, Section?>(repeating: nil)
        do {
            for place in 0..<count {
                let (bytes, layout) = try cid(start + place)
                guard !layout.isIdentity else { return false }
                views[place] = bytes
                layouts[place] = layout
            }
            try reading { reader in
                try reader.sections(
                    count: count,
                    withCID: { place, use in
                        guard let layout = layouts[place] else { return }
                        try use(views[place], layout)
                    },
                    { found[$0] = $1 }
                )
            }
        } catch {
            return false
        }
        for place in 0..<count { body(start + place, .success(found[place].map(Self.block))) }
        return true
    }

    private func findOne(_ cid: (bytes: ByteView, layout: CIDLayout)) throws -> BatchBlock? {
        guard !cid.layout.isIdentity else {
            try checkHeld()
            let digest = cid.bytes[cid.layout.digestOffset..<cid.layout.size]
            let bytes = BlockBytes(copying: digest)
            return BatchBlock(size: UInt64(digest.count), place: .identity(bytes))
        }
        return try reading { try $0.section(of: cid.bytes, layout: cid.layout).map(Self.block) }
    }

    private static func block(at section: Section) -> BatchBlock {
        BatchBlock(size: section.dataSize, place: .section(section))
    }

    /// Returns the bytes of a block from any source; the thread waits for a remote source.
    ///
    /// - Throws: As `block(for:)`.
    package func bytes(of block: BatchBlock) throws(DAGStoreError) -> BlockBytes {
        switch block.place {
        case .identity(let bytes): return bytes
        case .section(let section): return try reading { try $0.bytesBlocking(of: section) }
        }
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
