internal import DAGBytes
internal import DAGCatalog
internal import ShardIndex
internal import SharedReads

/// The pages of a pinned index as they are stored, for searches without decoding.
///
/// A catalog value that fills LMDB pages of its own stays in its place; a smaller value is copied once. The first
/// search in a page checks the page.
///
/// *Cost*: one look-up for each value and one check for each page; then a load.
///
/// *Concurrency*: any thread.
final class PinnedPages: Sendable {
    private final class Value: Sendable {
        let pinned: PinnedValue
        init(_ pinned: PinnedValue) { self.pinned = pinned }
    }

    private let generation: UInt64
    private let catalog: Catalog
    private let values: BorrowedRow<OnceReference<Value>>
    private let checked: OnceFlags

    /// Creates the pages of a pinned generation.
    init(_ generation: UInt64, _ root: IndexRoot, in catalog: Catalog) {
        self.generation = generation
        self.catalog = catalog
        values = BorrowedRow((0..<root.valueCount).map { _ in OnceReference() })
        checked = OnceFlags(count: root.pages.count)
    }

    /// Returns a checked page as it is stored; nil if parts of the page are compressed.
    ///
    /// - Parameters:
    ///   - number: The page's number.
    ///   - place: The place of the page in its catalog value.
    /// - Returns: The page.
    /// - Throws: `catalogCorrupt` if the value is damaged or has another page.
    @inline(__always)
    func view(_ number: Int, at place: IndexRoot.Page) throws -> PageView? {
        let value = try bytes(Int(place.value))
        let end = Int(place.start) + Int(place.size)
        guard end <= value.count else {
            throw ShardIndexError(.malformed, "page \(number) outside its value")
        }
        let page = value[Int(place.start)..<end]
        if !checked.isSet(number) { try check(page, number, place) }
        return PageView(trusting: page)
    }

    private func check(_ page: ByteView, _ number: Int, _ place: IndexRoot.Page) throws {
        try PageView.check(page)
        if let view = PageView(trusting: page) {
            guard view.firstOrdinal == place.firstOrdinal, view.count == Int(place.count) else {
                throw ShardIndexError(.malformed, "page \(number) is another page")
            }
        }
        checked.set(number)
    }

    @inline(__always)
    private func bytes(_ number: Int) throws -> ByteView {
        let known = values[number].with { reference in
            reference.borrowed.map { value in value.with { $0.pinned.bytes } }
        }
        return try known ?? pin(number)
    }

    private func pin(_ number: Int) throws -> ByteView {
        let value = Value(try catalog.pageValue(generation, UInt32(number)))
        return values[number].with { reference in
            reference.fill(value).with { $0.pinned.bytes }
        }
    }
}
