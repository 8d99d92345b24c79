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
        precondition(cids.count <= Self.batchSize, "a batch of \(cids.count)")
        let payload = memory
        guard !payload.isEmpty, !segments.isEmpty else {
            for index in cids.indices { try body(index, section(of: cids[index])) }
            return
        }
        let first = cids.startIndex
        var numbers = InlineArray<8, Int>(repeating: 0)
        var positions = InlineArray<8, UInt64>(repeating: 0)
        for index in cids.indices {
            let hashed = cids[index].withDigest { hash.hash($0).high }
            let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
            numbers[index - first] = Int(number)
            positions[index - first] = position
            segments[Int(number)].prefetchStarts(position: position)
        }
        for place in 0..<cids.count {
            segments[numbers[place]].prefetchBucket(position: positions[place])
        }
        var searches = InlineArray<8, LocatorSegment.Search>(repeating: .none)
        var offsets = InlineArray<8, UInt64?>(repeating: nil)
        for place in 0..<cids.count {
            let segment = segments[numbers[place]]
            try index.checkOnce(segment, numbers[place])
            searches[place] = segment.search(position: positions[place])
            offsets[place] = segment.next(&searches[place])
            if let offset = offsets[place], offset < UInt64(payload.count) {
                payload.prefetch(at: Int(offset))
            }
        }
        for index in cids.indices {
            let place = index - first
            let cid = cids[index]
            let isDoubtful = offsets[place] != nil
            let found = try cid.bytes.withView { bytes -> Section? in
                while let offset = offsets[place] {
                    if let found = try confirm(payload, offset, bytes, cid.layout) { return found }
                    offsets[place] = segments[numbers[place]].next(&searches[place])
                }
                if isDoubtful { try cid.withDigest { try checkAbsent($0, cid.layout) } }
                return nil
            }
            try body(index, found)
        }
    }
}
