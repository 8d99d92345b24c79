internal import DAGBytes

/// One of an environment's two meta pages.
///
/// Commits write them in turn; the one with the later transaction is valid.
///
/// ```
///   0  page header, 16 bytes        16  u32 0xBEEFC0DE      20  u32 version = 1     24  u64 address
///  32  u64 map size                 40  tree of free pages  88  main tree          136  u64 last page
/// 144  u64 transaction
/// ```
///
/// Source: `MDB_meta` in LMDB 0.9's `mdb.c`. The page size is the first field of the tree of free pages.
struct MetaPage {
    static let size = 152
    private static let magic: UInt32 = 0xbeef_c0de
    private static let version: UInt32 = 1
    private static let metaFlag: UInt16 = 8

    let pageSize: Int
    let mapSize: Int
    let freePages: PageTree
    let main: PageTree
    /// The last page that was ever used.
    let lastPage: UInt64
    let transaction: UInt64

    /// Reads a meta page; nil if it has another format.
    ///
    /// - Parameter bytes: Its first `size` bytes.
    init?(_ bytes: ByteView) {
        guard bytes.count >= Self.size, bytes.loadUInt16(at: 10) & Self.metaFlag != 0,
            bytes.loadUInt32(at: 16) == Self.magic, bytes.loadUInt32(at: 20) == Self.version
        else { return nil }
        pageSize = Int(bytes.loadUInt32(at: 40))
        guard pageSize >= 512, pageSize <= 1 << 16, pageSize.nonzeroBitCount == 1 else {
            return nil
        }
        mapSize = Int(clamping: bytes.loadUInt64(at: 32))
        freePages = PageTree(bytes[40..<88])
        main = PageTree(bytes[88..<136])
        lastPage = bytes.loadUInt64(at: 136)
        transaction = bytes.loadUInt64(at: 144)
    }

    /// Whether LMDB may have written it.
    ///
    /// The first commit creates the tables, so the main tree is empty only before it.
    var isPlausible: Bool {
        let pages = UInt64(1) << 47 / UInt64(pageSize)
        return lastPage >= 1 && lastPage < pages && mapSize > 0 && mapSize <= 1 << 47
            && main.flags == 0 && (transaction == 0 || !main.isEmpty) && transaction < 1 << 62
            && [freePages, main].allSatisfy { $0.isPlausible(lastPage: lastPage) }
    }
}

/// The root of a tree of pages, and the tree's size.
///
/// ```
///  0  u32 page size or zero    4  u16 flags          6  u16 depth       8  u64 branch pages
/// 16  u64 leaf pages          24  u64 overflow pages 32  u64 rows      40  u64 root, or all ones
/// ```
///
/// Source: `MDB_db` in LMDB 0.9's `mdb.c`.
struct PageTree: Equatable {
    static let size = 48

    let flags: UInt16
    let depth: Int
    let branchPages: UInt64
    let leafPages: UInt64
    let overflowPages: UInt64
    let rows: UInt64
    let root: UInt64

    /// Reads the description of a tree.
    ///
    /// - Parameter bytes: Its `size` bytes.
    init(_ bytes: ByteView) {
        flags = bytes.loadUInt16(at: 4)
        depth = Int(bytes.loadUInt16(at: 6))
        branchPages = bytes.loadUInt64(at: 8)
        leafPages = bytes.loadUInt64(at: 16)
        overflowPages = bytes.loadUInt64(at: 24)
        rows = bytes.loadUInt64(at: 32)
        root = bytes.loadUInt64(at: 40)
    }

    var isEmpty: Bool { root == .max }

    /// Returns whether the root is a used page, and the depth one that LMDB follows.
    func isPlausible(lastPage: UInt64) -> Bool {
        isEmpty ? rows == 0 : root > 1 && root <= lastPage && (1...32).contains(depth)
    }
}
