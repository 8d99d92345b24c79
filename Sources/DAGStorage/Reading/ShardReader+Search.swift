internal import DAGBytes
internal import DAGCAR
internal import DAGHashing
package import DAGMultiformats
internal import ShardIndex
internal import SharedReads

/// Finds sections: the locator names candidates, and the bytes confirm one of them.
extension ShardReader {
    /// Returns the first section with the multihash of `cid`; nil if there is none.
    ///
    /// *Cost*: in a mapped shard, one bucket of the locator and the section's header; no allocation. Searches in CAR
    /// order read the header only.
    func section(of cid: CID) throws -> Section? {
        try cid.bytes.withView { try section(of: $0, layout: cid.layout) }
    }

    /// Returns the first section with the multihash of a binary CID; nil if there is none.
    func section(of cid: ByteView, layout: CIDLayout) throws -> Section? {
        let digest = cid[layout.digestOffset..<cid.count]
        let payload = memory
        let last = payload.isEmpty ? 0 : hint.value
        if last & Self.walking != 0 {
            let offset = last & ~Self.walking
            if let found = try confirm(payload, offset, cid, layout) {
                hint.value = found.end | Self.walking
                if (offset ^ found.end) >> Self.windowBits != 0 { readAhead(from: found.end) }
                return found
            }
            hint.value = offset
        }
        guard isDirect else {
            // A store that is read-only has no locator in memory, but a walk needs none.
            guard let found = try index.section(hashCode: layout.hashCode, digest: digest) else {
                return nil
            }
            guard !payload.isEmpty else { return found }
            // Whether a multihash is there is answered by the index alone. Where no signal can come of it, the section
            // is compared as well.
            if isGuarded || !isMapped, try confirm(payload, found.offset, cid, layout) == nil {
                throw changed(origin.name)
            }
            recordEnd(of: found, after: last)
            return found
        }
        let hashed = hash.hash(digest).high
        let (number, position) = hashed.multipliedFullWidth(by: segmentCount)
        let segment = segments[Int(number)]
        try index.checkOnce(segment, Int(number))
        var search = segment.search(position: position)
        var isDoubtful = false
        while let offset = segment.next(&search) {
            guard let found = try confirm(payload, offset, cid, layout) else {
                isDoubtful = true
                continue
            }
            recordEnd(of: found, after: last)
            return found
        }
        // The locator may name the place of another multihash. If the index has this multihash, the bytes have
        // changed, and a miss would be wrong.
        if isDoubtful { try checkAbsent(digest, layout) }
        return nil
    }

    /// Records where a walk would go on after a section.
    @inline(__always)
    private func recordEnd(of found: Section, after last: UInt64) {
        // Where a multihash repeats, a walk would find another section than the first.
        guard isFreeOfDuplicates else { return }
        let mark = found.offset == last & ~Self.walking ? Self.walking : 0
        hint.value = found.end | mark
    }

    /// Checks that the index lacks a multihash which the bytes lack.
    ///
    /// - Throws: `sourceChanged` if the index has the multihash.
    @inline(never)
    func checkAbsent(_ digest: ByteView, _ layout: CIDLayout) throws {
        guard try index.contains(hashCode: layout.hashCode, digest: digest) else { return }
        throw changed(origin.name)
    }

    /// The binary logarithm of the number of bytes that a walk reads ahead.
    private static let windowBits: UInt64 = 20

    /// Asks the system to read the window after the walk's current one.
    private func readAhead(from offset: UInt64) {
        guard isMapped else { return }
        let start = Int(((offset >> Self.windowBits) + 1) << Self.windowBits)
        guard start < memory.count else { return }
        memory[start..<min(memory.count, start + (1 << Int(Self.windowBits)))].willNeed()
    }

    /// Returns the first offset that the locator names for a CID, unconfirmed; measures the search alone.
    package func firstCandidate(of cid: CID) -> UInt64? {
        cid.withDigest { digest in
            let hashed = hash.hash(digest).high
            let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
            let segment = segments[Int(number)]
            var search = segment.search(position: position)
            return segment.next(&search)
        }
    }

    /// The largest size of a section's varint and a CID's head together, in bytes.
    static let headSizeMax = 64

    /// Returns the section at `offset`, if it has this multihash.
    @inline(__always)
    func confirm(
        _ payload: ByteView,
        _ offset: UInt64,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) throws -> Section? {
        guard offset < UInt64(payload.count) else { return nil }
        guard isGuarded else {
            return Self.confirm(
                payload,
                at: Int(offset),
                of: 0,
                remaining: payload.count - Int(offset),
                cid,
                layout
            )
        }
        return try confirmGuarded(payload, Int(offset), cid, layout)
    }

    /// Confirms a section on a copy of its head, because the file may become shorter at any moment.
    private func confirmGuarded(
        _ payload: ByteView,
        _ offset: Int,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) throws -> Section? {
        let remaining = payload.count - offset
        let size = min(remaining, layout.digestSize + Self.headSizeMax)
        var found: Section?
        let isThere = GuardedCopy.withCopy(of: payload[offset..<offset + size]) { head in
            found = Self.confirm(head, at: 0, of: UInt64(offset), remaining: remaining, cid, layout)
        }
        guard isThere else { throw bytesAreGone }
        return found
    }

    /// The error in place of a SIGBUS.
    var bytesAreGone: DAGStoreError {
        DAGStoreError(.sourceChanged, "\(origin.name) became shorter", shard: key)
    }

    /// Returns the section at `start` of a window of the payload, if it has this multihash.
    private static func confirm(
        _ window: ByteView,
        at start: Int,
        of windowOffset: UInt64,
        remaining: Int,
        _ cid: ByteView,
        _ layout: CIDLayout
    ) -> Section? {
        let prefix = Varint.decode(window, at: start)
        let cidStart = start + prefix.size
        guard prefix.size > 0, prefix.value <= UInt64(remaining - prefix.size) else { return nil }
        // The common case: the section has the very CID, so the code need not parse it.
        if prefix.value >= UInt64(cid.count), cidStart + cid.count <= window.count,
            window[cidStart..<cidStart + cid.count].elementsEqual(cid)
        {
            return Section(
                offset: windowOffset + UInt64(start),
                prefixSize: prefix.size,
                length: prefix.value,
                cid: layout
            )
        }
        // The section has the multihash under another CID.
        guard
            let found = Section.reading(window, at: start, of: windowOffset, remaining: remaining),
            found.cid.hashCode == layout.hashCode, found.cid.digestSize == layout.digestSize
        else { return nil }
        let digest = cid[layout.digestOffset..<cid.count]
        let place = cidStart + found.cid.digestOffset
        guard place + digest.count <= window.count,
            window[place..<place + digest.count].elementsEqual(digest)
        else { return nil }
        return found
    }
}
