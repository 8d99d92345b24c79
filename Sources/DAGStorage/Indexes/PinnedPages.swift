internal import DAGBytes
internal import DAGCatalog
internal import ShardIndex
internal import SharedReads

/// The pages of an index as they are stored, for searches that decode nothing.
///
/// The index is pinned: a value that stands in pages of its own does not move, and a smaller one is copied once. A
/// page is checked when it is first looked at.
///
/// *Cost*: a value is looked up once, a page is checked once; both are found by a load afterwards.
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

    /// The pages of a pinned generation.
    init(_ generation: UInt64, _ root: IndexRoot, in catalog: Catalog) {
        self.generation = generation
        self.catalog = catalog
        values = BorrowedRow((0..<root.valueCount).map { _ in OnceReference() })
        checked = OnceFlags(count: root.pages.count)
    }

    /// A page as it is stored, checked; nil if parts of it are compressed.
    ///
    /// - Parameters:
    ///   - number: The page's number.
    ///   - place: Where it is.
    /// - Returns: The page.
    /// - Throws: `catalogCorrupt` if it is damaged or another page.
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
