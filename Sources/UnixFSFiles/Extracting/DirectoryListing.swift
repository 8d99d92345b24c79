internal import DAGBytes
internal import DAGIPLD
internal import DAGMultiformats

/// Lists the entries of a directory one after another, in the order of its blocks.
///
/// *Memory*: the block of a directory; of a HAMT the blocks on the way down, at most 21.
struct DirectoryListing {
    /// An entry.
    struct Entry {
        let name: [UInt8]
        let cid: CID
    }

    private struct Level {
        let block: UnixFSBlock
        let entries: [HAMTShard.Entry]
        var next = 0
    }

    private let blocks: CARBlocks
    private var levels: [Level]

    /// Creates a list of all entries of a directory.
    init(_ directory: UnixFSBlock, _ blocks: CARBlocks) {
        self.blocks = blocks
        levels = [Level(block: directory, entries: Self.entries(of: directory))]
    }

    private static func entries(of block: UnixFSBlock) -> [HAMTShard.Entry] {
        if let shard = block.shard { return shard.entries }
        return block.node?.links.map { .entry($0, name: $0.name ?? 0..<0) } ?? []
    }

    /// Takes the next entry; nil at the end.
    ///
    /// - Throws: The errors of reading a shard; `.malformedBlock` of `IPLDError`.
    mutating func next() throws -> Entry? {
        while let top = levels.indices.last {
            guard levels[top].next < levels[top].entries.count else {
                levels.removeLast()
                continue
            }
            let entry = levels[top].entries[levels[top].next]
            levels[top].next += 1
            let block = levels[top].block
            switch entry {
            case .entry(let link, let name):
                return Entry(name: block.view[name].copied, cid: block.cid(of: link))
            case .shard(let link):
                let below = try Self.shard(below: block, link, level: levels.count, blocks)
                levels.append(Level(block: below, entries: Self.entries(of: below)))
            }
        }
        return nil
    }

    /// Reads the shard that a link of another one leads to.
    private static func shard(
        below block: UnixFSBlock,
        _ link: DagPBNode.Link,
        level: Int,
        _ blocks: CARBlocks
    ) throws -> UnixFSBlock {
        guard let above = block.shard, level < above.levelsMax else {
            throw block.malformed("a directory deeper than its hashes are long")
        }
        let below = try blocks.block(block.cid(of: link))
        guard below.shard?.fanout == above.fanout else {
            throw below.malformed("a part of a directory has another fanout, or is none")
        }
        return below
    }

    /// Returns what an entry of a directory leads to; nil if the directory does not have it.
    ///
    /// *Cost*: the blocks on the way to the entry.
    ///
    /// - Throws: The errors of reading a shard; `.malformedBlock` of `IPLDError`.
    static func find(
        _ name: String,
        in directory: UnixFSBlock,
        _ blocks: CARBlocks
    ) throws -> CID? {
        try Array(name.utf8).withView { name in
            var block = directory
            var level = 0
            while let shard = block.shard {
                switch try shard.find(name, level: level, in: block.view) {
                case nil: return nil
                case .entry(let link, _)?: return block.cid(of: link)
                case .shard(let link)?:
                    level += 1
                    block = try self.shard(below: block, link, level: level, blocks)
                }
            }
            let link = block.node?.links.first { link in
                link.name.map { block.view[$0].elementsEqual(name) } ?? false
            }
            return link.map { block.cid(of: $0) }
        }
    }
}
