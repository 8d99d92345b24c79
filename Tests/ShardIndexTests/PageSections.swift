import DAGBytes
import DAGHashing
import DAGMultiformats
import Foundation
import ShardIndex
import TestSupport

/// How the sizes of a page's sections are spread.
enum SizeShape: CaseIterable {
    case constant, random, lognormal, nearlyConstant, tiny, steep

    func next(_ generator: inout SplitMix64) -> UInt64 {
        switch self {
        case .constant: 292
        case .random: .random(in: 1...2 << 20, using: &generator)
        case .lognormal: Self.lognormal(&generator)
        case .nearlyConstant: Int.random(in: 0..<50, using: &generator) == 0 ? 4000 : 262_191
        case .tiny: .random(in: 1...3, using: &generator)
        case .steep: 1 << UInt64.random(in: 0...35, using: &generator)
        }
    }

    private static func lognormal(_ generator: inout SplitMix64) -> UInt64 {
        let one = Double.random(in: Double.leastNonzeroMagnitude...1, using: &generator)
        let other = Double.random(in: 0...1, using: &generator)
        let normal = (-2 * log(one)).squareRoot() * cos(2 * Double.pi * other)
        return UInt64(max(1, min(exp(8 + 2 * normal), 8e6)))
    }
}

/// The sections of one page, as they are put in and as they are to come out.
struct PageSections: Equatable {
    var entries: [KnownSection]

    init(entries: [KnownSection]) { self.entries = entries }

    /// `count` random sections from `base` on, drawn from `kinds`, of which the first is drawn most often.
    ///
    /// Where sizes are not known there are gaps.
    init(
        count: Int,
        shape: SizeShape,
        kinds: [EntryKind],
        base: UInt64 = 59,
        firstOrdinal: UInt64 = 0,
        knowsSizes: Bool = true,
        using generator: inout SplitMix64
    ) {
        var offset = base
        entries = (0..<count).map { index in
            let size = shape.next(&generator)
            // First each kind once, so that the table has all of them, and then random kinds.
            let isMode = index >= kinds.count && Int.random(in: 0..<10, using: &generator) < 7
            let kind = isMode ? kinds[0] : kinds[index % kinds.count]
            defer { offset += size }
            return KnownSection(
                ordinal: firstOrdinal + UInt64(index),
                offset: offset,
                sectionSize: knowsSizes ? size : nil,
                kind: kind,
                digest: generator.bytes(kind.digestSize)
            )
        }
    }

    /// The page's bytes.
    func encoded(_ policy: PagePolicy) -> [UInt8] {
        let hash = KeyedHash(key: (1, 2))
        var encoder = PageEncoder(policy: policy)
        var last: EntryKind?
        for entry in entries {
            entry.digest.withView { digest in
                encoder.append(
                    ordinal: entry.ordinal,
                    offset: entry.offset,
                    size: entry.sectionSize,
                    kind: entry.kind,
                    isSameKind: entry.kind == last,
                    digest: digest,
                    hash: hash.hash(digest).high
                )
            }
            last = entry.kind
        }
        var bytes: [UInt8] = []
        _ = encoder.finish(to: &bytes)
        return bytes
    }
}

extension EntryKind {
    /// The kind of nearly every section of a real CAR.
    static let common = EntryKind(
        version: 1,
        codec: Codec.raw,
        hashCode: HashCode.sha2_256,
        digestSize: 32
    )
    /// A CID of version 0.
    static let versionZero = EntryKind(.versionZero)

    /// An identity CID.
    static func identity(_ size: Int) -> EntryKind {
        EntryKind(version: 1, codec: Codec.raw, hashCode: HashCode.identity, digestSize: size)
    }

    /// `count` different kinds, some of them with parts that an index may not know.
    static func many(_ count: Int) -> [EntryKind] {
        let digestSizes = [0, 1, 20, 32, 64]
        return (0..<count).map { index -> EntryKind in
            let codec = UInt64(index) << UInt64(index % 55)
            let hashCode = HashCode.sha2_256 + UInt64(index)
            return EntryKind(
                version: 1,
                codec: index % 5 == 4 ? nil : codec,
                hashCode: index % 7 == 6 ? nil : hashCode,
                digestSize: digestSizes[index % 5]
            )
        }
    }
}

extension DecodedPage {
    /// Decodes a page, on its way through an array.
    static func reading(_ bytes: [UInt8]) throws(ShardIndexError) -> DecodedPage {
        try bytes.withView { view throws(ShardIndexError) in try DecodedPage(reading: view) }
    }

    /// Everything in the page.
    var sections: PageSections {
        PageSections(entries: (0..<count).map { KnownSection(entry($0)) })
    }
}

extension IndexRoot {
    /// Decodes a root page, on its way through an array.
    static func reading(_ bytes: [UInt8]) throws(ShardIndexError) -> IndexRoot {
        try bytes.withView { view throws(ShardIndexError) in try IndexRoot(reading: view) }
    }
}

extension [UInt8] {
    /// Returns the bytes with the checksum of the bytes after it.
    func withChecksum() -> [UInt8] {
        guard count >= 8 else { return self }
        let checksum = withView { Checksum.xxh64($0[8..<$0.count]) }
        var bytes = self
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
        return bytes
    }

    /// The bytes, damaged in one of the ways that find weak checks.
    func damaged(using generator: inout SplitMix64) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...3, using: &generator) where bytes.count > 8 {
            // Headers decide more than contents do.
            let end = Bool.random(using: &generator) ? Swift.min(96, bytes.count) : bytes.count
            let place = Int.random(in: 8..<end, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = 0
            case 2: bytes[place] = 0xff
            case 3: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 4: bytes.removeSubrange(place...)
            case 5: bytes.remove(at: place)
            case 6: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            default:
                for index in place..<Swift.min(place + 8, bytes.count) { bytes[index] = 0xff }
            }
        }
        return bytes
    }
}
