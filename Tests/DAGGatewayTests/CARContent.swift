#if Node
    import DAGBytes
    import DAGCAR
    import DAGHashing
    import DAGMultiformats
    import Testing

    /// What a CAR in an answer has.
    struct CARContent {
        var roots: [CID]
        /// The CIDs of the sections, in their order.
        var cids: [String]
        /// Whether the last section ends where the bytes end.
        var isWhole: Bool

        /// Reads a CAR, and checks that each block has its CID's hash.
        init(_ bytes: [UInt8]) throws {
            let read = try bytes.withView { view throws -> ([CID], [String], Bool) in
                let layout = try CARLayout(reading: view)
                var cids: [String] = []
                var offset = layout.headerSize
                while let section = Section.reading(view, at: offset) {
                    let cid = try CID(view[Int(section.cidOffset)..<Int(section.dataOffset)])
                    let data = view[Int(section.dataOffset)..<Int(section.end)]
                    let outcome = cid.withDigest {
                        BlockHash.check(code: cid.hashCode, digest: $0, data: data)
                    }
                    #expect(outcome == .matches, "\(cid)")
                    cids.append(cid.description)
                    offset = section.end
                }
                return (layout.roots, cids, offset == UInt64(view.count))
            }
            (roots, cids, isWhole) = read
        }
    }
#endif
