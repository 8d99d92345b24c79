internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats

extension FuzzCheck {
    static func checkCAR(_ input: ByteView) throws(Contradiction) {
        let layout: CARLayout
        do throws(CARError) {
            layout = try CARLayout(reading: input)
        } catch {
            try require(error.offset <= UInt64(input.count), "an error outside the file: \(error)")
            return
        }
        let end = layout.dataOffset + layout.dataSize
        try require(end <= UInt64(input.count), "a payload outside the file")
        try require(layout.headerSize <= layout.dataSize, "a header outside the payload")
        try checkRoots(layout.roots)
        if let index = layout.index(in: input) { try checkCARIndex(index) }
        let payload = input[Int(layout.dataOffset)..<Int(end)]
        var numbers = Numbers(for: input)
        for limits in [
            CARLimits(), CARLimits(nullPadding: .refused), CARLimits(sectionSizeMax: 64),
        ] {
            let whole = SectionList(of: payload, from: layout.headerSize, limits: limits)
            try checkSections(whole, payload, layout)
            let bytewise = SectionList(of: payload, from: layout.headerSize, limits: limits) { 1 }
            try require(bytewise == whole, "single bytes: \(difference(bytewise, whole))")
            let windowed = SectionList(of: payload, from: layout.headerSize, limits: limits) {
                numbers.next(below: 200)
            }
            try require(windowed == whole, "windows: \(difference(windowed, whole))")
        }
        for offset in 0..<UInt64(min(payload.count + 2, 600)) {
            guard let section = Section.reading(payload, at: offset) else { continue }
            try require(section.end <= layout.dataSize, "a section outside the payload")
        }
    }

    private static func difference(_ windows: SectionList, _ whole: SectionList) -> String {
        "\(windows.sections.count) sections to \(windows.end), \(windows.reason); "
            + "at once \(whole.sections.count) to \(whole.end), \(whole.reason)"
    }

    private static func checkRoots(_ roots: [CID]) throws(Contradiction) {
        let bytes = CARHeader.encoded(roots: roots)
        let again = try? bytes.withView { view throws(CARError) in try CARHeader(reading: view) }
        try require(again?.roots == roots, "roots that do not survive: \(roots)")
    }

    private static func checkSections(
        _ list: SectionList,
        _ payload: ByteView,
        _ layout: CARLayout
    ) throws(Contradiction) {
        try require(!list.isStalled, "the scanner asks for what it has")
        var position = layout.headerSize
        for section in list.sections {
            try require(section.offset == position, "a gap before byte \(section.offset)")
            position = section.end
            try require(position <= layout.dataSize, "a section outside the payload")
            let cid = try? CID(payload[Int(section.cidOffset)..<Int(section.dataOffset)])
            try require(cid?.layout == section.cid, "a CID that reads otherwise by itself")
            let again = Section.reading(payload, at: section.offset)
            try require(again == section, "a section that reads otherwise by itself")
        }
        try require(list.end == position, "an end that is no section's")
        guard let error = list.error else { return }
        try require(error.offset == position, "an error elsewhere: \(error)")
    }

    static func checkCARIndexes(_ input: ByteView) throws(Contradiction) {
        try checkCARIndex(input)
        // Both formats with what chance makes of the rest.
        for codec in [[0x80, 0x08], [0x81, 0x08]] as [[UInt8]] {
            try (codec + input.copied).withView { view throws(Contradiction) in
                try checkCARIndex(view)
            }
        }
    }

    private static func checkCARIndex(_ input: ByteView) throws(Contradiction) {
        let index: CARIndex
        do throws(CARError) {
            index = try CARIndex(reading: input)
        } catch {
            try require(error.offset <= UInt64(input.count), "an error outside the file: \(error)")
            return
        }
        var builder = CARIndexBuilder(storesIdentity: true)
        var count = 0
        for bucket in index.buckets {
            try require(bucket.records.upperBound <= index.bytes.count, "a bucket outside")
            try require(bucket.count * bucket.width == bucket.records.count, "half a record")
            count += bucket.count
            for record in 0..<min(bucket.count, 64) {
                let entry = index.entry(record, of: bucket)
                let hashCode = entry.hashCode ?? HashCode.sha2_256
                // Unsorted records may not be found; looking for them must end all the same.
                _ = index.offsets(of: entry.digest, hashCode: hashCode)
                builder.append(hashCode: hashCode, digest: entry.digest, offset: entry.offset)
            }
        }
        try require(index.count == count, "a count of \(index.count), not \(count)")
        let built = builder.count
        let encoded = builder.encoded(codec: index.codec)
        try encoded.withView { view throws(Contradiction) in
            guard let sorted = try? CARIndex(reading: view) else {
                throw Contradiction(description: "an index of our own is refused")
            }
            try require(sorted.count == built, "an index of our own lost records")
            try checkLookups(of: index, in: sorted)
        }
    }

    private static func checkLookups(
        of index: CARIndex,
        in sorted: CARIndex
    ) throws(Contradiction) {
        for bucket in index.buckets {
            for record in 0..<min(bucket.count, 64) {
                let entry = index.entry(record, of: bucket)
                let hashCode = entry.hashCode ?? HashCode.sha2_256
                let found = sorted.offsets(of: entry.digest, hashCode: hashCode)
                try require(found.contains(entry.offset), "a record is not found again")
                try require(found == found.sorted(), "offsets out of order")
            }
        }
    }
}
