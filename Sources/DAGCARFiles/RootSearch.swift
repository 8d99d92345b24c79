internal import DAGBytes
internal import DAGMultiformats

/// Looks for the roots of a CAR among its sections.
///
/// A root is found by its multihash, as every block is. The block of an identity root is in its CID, so it is never
/// missing.
///
/// *Cost*: a search in a dictionary for each section, until all roots were found.
struct RootSearch: Sendable {
    private let roots: [CID]
    /// The places in `roots` of those that were not found, by the first bytes of their digests.
    private var wanted: [UInt64: [Int]] = [:]

    /// A search for `roots`.
    init(_ roots: [CID]) {
        self.roots = roots
        for (index, root) in roots.enumerated() where !root.isIdentity {
            wanted[root.withDigest { Self.head($0) }, default: []].append(index)
        }
    }

    /// The roots that were not found, in header order.
    var missing: [CID] { wanted.values.joined().sorted().map { roots[$0] } }

    /// Looks at a section.
    mutating func check(_ layout: CIDLayout, _ digest: ByteView) {
        guard !wanted.isEmpty else { return }
        let head = Self.head(digest)
        guard let places = wanted[head] else { return }
        let others = places.filter { index in
            let root = roots[index]
            return root.hashCode != layout.hashCode || !root.withDigest { $0.elementsEqual(digest) }
        }
        wanted[head] = others.isEmpty ? nil : others
    }

    private static func head(_ digest: ByteView) -> UInt64 {
        guard digest.count < 8 else { return digest.loadUInt64(at: 0) }
        return (0..<digest.count).reduce(0) { $0 << 8 | UInt64(digest[$1]) }
    }
}
