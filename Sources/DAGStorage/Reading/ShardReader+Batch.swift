internal import DAGBytes
internal import DAGCAR
internal import DAGHashing
internal import DAGMultiformats
internal import ShardIndex

/// Searches several multihashes at once, so that their memory reads overlap.
extension ShardReader {
    /// The number of searches at once: somewhat more than the memory reads that one core overlaps.
    static let batchSize = 8

    /// Calls `body` for each CID, in order, with the first section that has its multihash.
    ///
    /// *Cost*: a third of single searches, where locator and CAR are larger than the processor's caches.
    ///
    /// - Parameters:
    ///   - cids: At most `batchSize` CIDs, without identity CIDs.
    ///   - body: Receives the index of the CID, and the section; nil if there is none.
    /// - Throws: As `section(of:)`, and the errors of `body`.
    func sections(of cids: ArraySlice<CID>, _ body: (Int, Section?) throws -> Void) throws {
        let first = cids.startIndex
        try sections(
            count: cids.count,
            withCID: { place, use in
                let cid = cids[first + place]
                try cid.bytes.withView { try use($0, cid.layout) }
            },
            { try body(first + $0, $1) }
        )
    }

    /// Calls `body` for each binary CID, in order, with the first section that has its multihash.
    ///
    /// *Cost*: as `sections(of:_:)`.
    ///
    /// - Parameters:
    ///   - count: The number of CIDs, at most `batchSize`.
    ///   - withCID: Calls its closure once with the bytes and the parts of a CID, which is no identity CID.
    ///   - body: Receives the index of the CID, and the section; nil if there is none.
    /// - Throws: As `section(of:)`, and the errors of `body`.
    @inline(__always)
    func sections(
        count: Int,
        withCID: (Int, (ByteView, CIDLayout) throws -> Void) throws -> Void,
        _ body: (Int, Section?) throws -> Void
    ) throws {
        precondition(count <= Self.batchSize, "a batch of \(count)")
        let payload = memory
        guard !payload.isEmpty, !segments.isEmpty else {
            for place in 0..<count {
                var found: Section?
                try withCID(place) { found = try section(of: $0, layout: $1) }
                try body(place, found)
            }
            return
        }
        var numbers = InlineArray<8, Int>(repeating: 0)
        var positions = InlineArray<8, UInt64>(repeating: 0)
        for place in 0..<count {
            try withCID(place) { cid, layout in
                let hashed = hash.hash(cid[layout.digestOffset..<cid.count]).high
                let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
                numbers[place] = Int(number)
                positions[place] = position
                segments[Int(number)].prefetchStarts(position: position)
            }
        }
        for place in 0..<count {
            segments[numbers[place]].prefetchBucket(position: positions[place])
        }
        var searches = InlineArray<8, LocatorSegment.Search>(repeating: .none)
        var offsets = InlineArray<8, UInt64?>(repeating: nil)
        for place in 0..<count {
            let segment = segments[numbers[place]]
            try index.checkOnce(segment, numbers[place])
            searches[place] = segment.search(position: positions[place])
            offsets[place] = segment.next(&searches[place])
            if let offset = offsets[place], offset < UInt64(payload.count) {
                payload.prefetch(at: Int(offset))
            }
        }
        for place in 0..<count {
            let isDoubtful = offsets[place] != nil
            var found: Section?
            try withCID(place) { cid, layout in
                while let offset = offsets[place] {
                    found = try confirm(payload, offset, cid, layout)
                    guard found == nil else { return }
                    offsets[place] = segments[numbers[place]].next(&searches[place])
                }
                if isDoubtful { try checkAbsent(cid[layout.digestOffset..<cid.count], layout) }
            }
            try body(place, found)
        }
    }
}
