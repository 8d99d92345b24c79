internal import DAGBytes

/// Checks every page of a snapshot before LMDB follows it, because LMDB itself checks nothing.
///
/// It finds pages after the end of the file, pages of another number or kind, and pages that are reached twice. It
/// also finds rows outside their page or out of order, and trees whose sizes differ from their descriptions. It
/// ignores the content of rows, so it misses a changed byte within one.
///
/// ```
/// page header   0  u64 page number    8  u16 zero    10  u16 flags: 1 branch, 2 leaf, 4 overflow
///              12  u16 end of the row offsets, 14  u16 begin of the rows; overflow: u32 pages in a row
///              16  u16 offset of a row [(end - 16) / 2]
/// leaf row      0  u32 size of the value    4  u16 flags: 1 in overflow pages, 2 a tree    6  u16 size of the key
///               8  key, value, or u64 the first overflow page
/// branch row    0  48 bits, the page        6  u16 size of the key                         8  key
/// ```
///
/// Source: LMDB 0.9's `mdb.c`.
struct PageWalk {
    private enum Kind {
        static let branch: UInt16 = 1
        static let leaf: UInt16 = 2
        static let overflow: UInt16 = 4
        /// The flags that a page in a file can have.
        static let all: UInt16 = 0x2f
    }

    private enum RowFlag {
        static let overflow: UInt16 = 1
        static let tree: UInt16 = 2
    }

    private static let headerSize = 16
    private static let rowHeaderSize = 8
    /// The deepest tree that LMDB follows.
    private static let depthMax = 32

    private let file: PageFile
    private let meta: MetaPage
    private let limit: Int
    /// One buffer for each level of a tree.
    private var buffers: [[UInt8]] = []
    /// The pages of the file that trees reach.
    private var reached: BitSet
    /// The pages of the file that the free list has.
    private var free: BitSet
    private(set) var found: [String] = []

    /// Creates a walk.
    ///
    /// - Parameters:
    ///   - file: The data file.
    ///   - meta: The meta page of the snapshot; no writer changes it meanwhile.
    ///   - limit: The number of findings after which the walk stops; at least 1.
    init(_ file: PageFile, _ meta: MetaPage, limit: Int) {
        precondition(limit > 0, "the limit of findings is zero")
        self.file = file
        self.meta = meta
        self.limit = limit
        let pages = file.size / meta.pageSize
        reached = BitSet(count: pages)
        free = BitSet(count: pages)
    }

    /// Walks over all trees.
    ///
    /// *Cost*: reads every branch and leaf page, and the header of every value in overflow pages; two bits of memory
    /// a page.
    ///
    /// - Returns: At most `limit` findings, for people.
    /// - Throws: `.io`.
    static func damage(
        _ file: PageFile,
        _ meta: MetaPage,
        limit: Int
    ) throws(LMDBError) -> [String] {
        var walk = PageWalk(file, meta, limit: limit)
        try walk.run()
        return walk.found
    }

    private mutating func run() throws(LMDBError) {
        var trees: [(name: String, tree: PageTree)] = []
        try walk(meta.freePages, "the tree of free pages", isFree: true) { _, _ in }
        try walk(meta.main, "the main tree") { trees.append(($0, $1)) }
        for (name, tree) in trees {
            try walk(tree, "table \(name)") { _, _ in }
        }
        if let page = reached.firstCommon(with: free) { report("page \(page) is in use and free") }
    }

    private mutating func report(_ text: String) {
        if found.count < limit { found.append(text) }
    }

    private var isFull: Bool { found.count >= limit }

    // MARK: Trees

    /// The numbers of reached pages and rows of a tree.
    private struct Count {
        var branchPages: UInt64 = 0
        var leafPages: UInt64 = 0
        var overflowPages: UInt64 = 0
        var rows: UInt64 = 0
        /// The key of the last reached row; nil before the first.
        var last: [UInt8]?
        /// The least key to come, as a branch page has it; nil if there is none.
        var least: [UInt8]?

        /// Records the keys of a leaf page.
        ///
        /// - Returns: Whether they are in order with the rows before.
        mutating func recordKeys(_ first: [UInt8], _ last: [UInt8]) -> Bool {
            defer {
                self.last = last
                least = nil
            }
            if let least, first.lexicographicallyPrecedes(least) { return false }
            return self.last.map { $0.lexicographicallyPrecedes(first) } ?? true
        }

        /// Records the key of a branch page before its next child.
        ///
        /// - Returns: Whether it is in order with the rows before.
        mutating func recordSeparator(_ key: [UInt8]) -> Bool {
            least = key
            return last.map { $0.lexicographicallyPrecedes(key) } ?? true
        }
    }

    private mutating func walk(
        _ tree: PageTree,
        _ name: String,
        isFree: Bool = false,
        _ subtree: (String, PageTree) -> Void
    ) throws(LMDBError) {
        guard !tree.isEmpty, !isFull else { return }
        guard tree.depth >= 1, tree.depth <= Self.depthMax else {
            return report("\(name) is \(tree.depth) pages deep")
        }
        let before = found.count
        var count = Count()
        try visit(tree.root, level: 1, of: tree, name, isFree: isFree, &count, subtree)
        guard found.count == before else { return }
        guard count.branchPages == tree.branchPages, count.leafPages == tree.leafPages,
            count.overflowPages == tree.overflowPages, count.rows == tree.rows
        else { return report("\(name) has other numbers of pages or rows than its description") }
    }

    private mutating func visit(
        _ number: UInt64,
        level: Int,
        of tree: PageTree,
        _ name: String,
        isFree: Bool,
        _ count: inout Count,
        _ subtree: (String, PageTree) -> Void
    ) throws(LMDBError) {
        guard !isFull, claim(number, 1, name) else { return }
        while buffers.count < level { buffers.append([]) }
        var page: [UInt8] = []
        swap(&page, &buffers[level - 1])
        defer { swap(&page, &buffers[level - 1]) }
        if page.count != meta.pageSize { page = Array(repeating: 0, count: meta.pageSize) }
        guard try file.read(into: &page, at: Int(number) * meta.pageSize) else {
            return report("page \(number) of \(name) is after the end of the file")
        }
        let isLeaf = level == tree.depth
        guard isSound(page, number, isLeaf: isLeaf, isOrdered: !isFree) else {
            return report("page \(number) of \(name) is damaged")
        }
        if isLeaf { count.leafPages += 1 } else { count.branchPages += 1 }
        let rows = Self.rowCount(page)
        if isLeaf {
            let first = Self.orderedKey(page, 0, isFree: isFree)
            let last = Self.orderedKey(page, rows - 1, isFree: isFree)
            guard count.recordKeys(first, last) else {
                return report("page \(number) of \(name) is out of order")
            }
        }
        for index in 0..<rows {
            if isLeaf {
                try visitRow(index, page, number, name, isFree: isFree, &count, subtree)
            } else {
                let child = page.withView { Self.child($0, index) }
                if index > 0 {
                    let key = Self.orderedKey(page, index, isLeaf: false, isFree: isFree)
                    guard count.recordSeparator(key) else {
                        return report("page \(number) of \(name) is out of order")
                    }
                }
                try visit(
                    child,
                    level: level + 1,
                    of: tree,
                    name,
                    isFree: isFree,
                    &count,
                    subtree
                )
            }
            guard !isFull else { return }
        }
    }

    private mutating func visitRow(
        _ index: Int,
        _ page: [UInt8],
        _ number: UInt64,
        _ name: String,
        isFree: Bool,
        _ count: inout Count,
        _ subtree: (String, PageTree) -> Void
    ) throws(LMDBError) {
        count.rows += 1
        let row = page.withView { Row($0, Self.offset($0, index)) }
        var value = row.isInOverflow ? nil : page[row.value]
        if row.isInOverflow {
            let first = page.withView { $0.loadUInt64(at: row.value.lowerBound) }
            let pages = UInt64((Self.headerSize + row.size - 1) / meta.pageSize + 1)
            guard claim(first, pages, name) else { return }
            var bytes = [UInt8](repeating: 0, count: Self.headerSize + (isFree ? row.size : 0))
            let isThere = try file.read(into: &bytes, at: Int(first) * meta.pageSize)
            let isSound = bytes.withView { view in
                isThere && view.loadUInt64(at: 0) == first
                    && view.loadUInt16(at: 10) & Kind.all == Kind.overflow
                    && UInt64(view.loadUInt32(at: 12)) == pages
            }
            guard isSound else {
                return report("page \(first) of \(name) is damaged")
            }
            count.overflowPages += pages
            value = bytes[Self.headerSize...]
        }
        guard let value else { return }
        if isFree {
            recordFreePages(Array(value), number)
        } else if row.flags & RowFlag.tree != 0 {
            let tree = Array(value).withView { PageTree($0) }
            let key = String(decoding: page[row.key], as: UTF8.self)
            guard tree.flags & ~8 == 0 else {
                return report("table \(key) has unknown flags")
            }
            subtree(key, tree)
        }
    }

    /// Records the pages in a row of the free list: their count, and then their numbers.
    private mutating func recordFreePages(_ value: [UInt8], _ number: UInt64) {
        let isSound = value.withView { view in
            guard view.count >= 8, view.count % 8 == 0,
                view.loadUInt64(at: 0) == UInt64(view.count / 8 - 1)
            else { return false }
            for offset in stride(from: 8, to: view.count, by: 8) {
                let page = view.loadUInt64(at: offset)
                guard page > 1, page <= meta.lastPage else { return false }
                if page < UInt64(free.count) { free.insert(Int(page)) }
            }
            return true
        }
        if !isSound { report("page \(number) lists impossible free pages") }
    }

    /// Records pages as reached; reports them if they cannot be.
    private mutating func claim(_ first: UInt64, _ count: UInt64, _ name: String) -> Bool {
        let end = first.addingReportingOverflow(count)
        guard first > 1, !end.overflow, end.partialValue - 1 <= meta.lastPage else {
            report("\(name) names page \(first), which was never used")
            return false
        }
        guard end.partialValue <= UInt64(reached.count) else {
            report("page \(first) of \(name) is after the end of the file")
            return false
        }
        for page in first..<end.partialValue where !reached.insert(Int(page)) {
            report("page \(page) of \(name) is reached twice")
            return false
        }
        return true
    }

    // MARK: Pages

    /// A leaf row, within its page.
    private struct Row {
        let size: Int
        let flags: UInt16
        let key: Range<Int>
        /// The value, or the number of the first overflow page.
        let value: Range<Int>

        init(_ page: ByteView, _ offset: Int) {
            size = Int(page.loadUInt32(at: offset))
            flags = page.loadUInt16(at: offset + 4)
            let start = offset + PageWalk.rowHeaderSize
            key = start..<start + Int(page.loadUInt16(at: offset + 6))
            let inline = flags & RowFlag.overflow != 0 ? 8 : size
            value = key.upperBound..<key.upperBound + inline
        }

        var isInOverflow: Bool { flags & RowFlag.overflow != 0 }
    }

    private static func rowCount(_ page: [UInt8]) -> Int {
        (page.withView { Int($0.loadUInt16(at: 12)) } - headerSize) / 2
    }

    private static func offset(_ page: ByteView, _ index: Int) -> Int {
        Int(page.loadUInt16(at: headerSize + 2 * index))
    }

    private static func child(_ page: ByteView, _ index: Int) -> UInt64 {
        let row = offset(page, index)
        return UInt64(page.loadUInt32(at: row)) | UInt64(page.loadUInt16(at: row + 4)) << 32
    }

    /// Returns the key of a row of a sound page, as bytes that sort like the table.
    ///
    /// Keys in the list of free pages are numbers.
    private static func orderedKey(
        _ page: [UInt8],
        _ index: Int,
        isLeaf: Bool = true,
        isFree: Bool
    ) -> [UInt8] {
        page.withView { view in
            guard let range = key(view, offset(view, index), isLeaf: isLeaf) else { return [] }
            let bytes = view[range].copied
            return isFree ? bytes.reversed() : bytes
        }
    }

    /// Returns whether a page has its number and kind, and all its rows lie inside it and in order.
    private func isSound(
        _ bytes: [UInt8],
        _ number: UInt64,
        isLeaf: Bool,
        isOrdered: Bool
    ) -> Bool {
        bytes.withView { page in
            let lower = Int(page.loadUInt16(at: 12))
            let upper = Int(page.loadUInt16(at: 14))
            guard page.loadUInt64(at: 0) == number,
                page.loadUInt16(at: 10) & Kind.all == (isLeaf ? Kind.leaf : Kind.branch),
                lower > Self.headerSize, lower % 2 == 0, lower <= upper, upper <= page.count
            else { return false }
            var before: Range<Int>?
            for index in 0..<(lower - Self.headerSize) / 2 {
                let offset = Self.offset(page, index)
                guard offset >= upper, offset % 2 == 0,
                    offset + Self.rowHeaderSize <= page.count,
                    let key = Self.key(page, offset, isLeaf: isLeaf)
                else { return false }
                // The first key of a branch page covers all keys below the second.
                guard isLeaf || index > 0 else { continue }
                if isOrdered, let before, !page[before].lexicographicallyPrecedes(page[key]) {
                    return false
                }
                before = key
            }
            return true
        }
    }

    /// Returns the bounds of the key of a row; nil for a row that cannot be.
    private static func key(_ page: ByteView, _ offset: Int, isLeaf: Bool) -> Range<Int>? {
        let size = Int(page.loadUInt16(at: offset + 6))
        let start = offset + rowHeaderSize
        guard size <= Environment.keySizeMax, start + size <= page.count else { return nil }
        guard isLeaf else { return start..<start + size }
        let row = Row(page, offset)
        guard size > 0, row.flags & ~(RowFlag.overflow | RowFlag.tree) == 0,
            row.value.upperBound <= page.count,
            row.flags & RowFlag.tree == 0 || !row.isInOverflow && row.size == PageTree.size
        else { return nil }
        return row.key
    }
}
