internal import DAGBytes
internal import DAGMultiformats

/// The entries of a directory that is being built, close to each other in memory.
///
/// *Memory*: 24 bytes an entry, its CID and its name.
struct DirectoryEntries: Sendable {
    private struct Entry {
        /// Where the CID starts; the name follows it.
        var start: Int
        var cidSize: UInt32
        var nameSize: UInt32
        var totalSize: UInt64
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    /// The number of entries.
    var count: Int { entries.count }

    mutating func append(_ part: UnixFSPart, name: [UInt8]) {
        entries.append(
            Entry(
                start: bytes.count,
                cidSize: UInt32(part.cid.bytes.count),
                nameSize: UInt32(name.count),
                totalSize: part.totalSize
            )
        )
        bytes += part.cid.bytes
        bytes += name
    }

    /// Calls `body` with the name of an entry.
    func withName<R>(_ index: Int, _ body: (ByteView) -> R) -> R {
        let entry = entries[index]
        let start = entry.start + Int(entry.cidSize)
        return bytes.withView { body($0[start..<start + Int(entry.nameSize)]) }
    }

    /// The size that an entry's maker claims for all that it leads to.
    func totalSize(_ index: Int) -> UInt64 { entries[index].totalSize }

    /// Returns the bytes that an entry's link adds to a block.
    func linkSize(_ index: Int) -> Int {
        let entry = entries[index]
        return DagPBEncoder.size(
            cidSize: Int(entry.cidSize),
            nameSize: Int(entry.nameSize),
            totalSize: entry.totalSize
        )
    }

    /// Appends an entry's link to a block.
    func appendLink(_ index: Int, prefix: [UInt8] = [], to block: inout [UInt8]) {
        let entry = entries[index]
        let nameStart = entry.start + Int(entry.cidSize)
        bytes.withView { bytes in
            DagPBEncoder.append(
                cid: bytes[entry.start..<nameStart],
                prefix: prefix,
                name: bytes[nameStart..<nameStart + Int(entry.nameSize)],
                totalSize: entry.totalSize,
                to: &block
            )
        }
    }

    /// The positions of the entries in the order of their names' bytes.
    ///
    /// *Cost*: O(n) where they were appended in this order.
    var sortedByName: [Int] {
        let all = Array(entries.indices)
        func precedes(_ one: Int, _ other: Int) -> Bool {
            withName(one) { one in withName(other) { one.lexicographicallyPrecedes($0) } }
        }
        let isSorted = zip(all, all.dropFirst()).allSatisfy { !precedes($1, $0) }
        return isSorted ? all : all.sorted(by: precedes)
    }
}
