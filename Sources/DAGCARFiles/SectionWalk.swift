package import DAGBytes
package import DAGCAR
package import DAGMounts
internal import DAGMultiformats
internal import ShardIndex

/// Walks the sections of a CAR file in file order, reading no more than it needs.
///
/// Runs of small sections are read in windows of 256 KiB, which stay in the processor's cache; after a
/// large section only the next header is read, so that a CAR of large blocks costs one small read a
/// block.
package struct SectionWalk {
    /// The bytes that are read at once where sections are small.
    package static let windowSize = 256 << 10
    /// The bytes that are read at once after a section larger than `largeSectionSize`.
    static let headerWindowSize = 512
    static let largeSectionSize: UInt64 = 16 << 10

    private let window: FileWindow
    private let layout: CARLayout
    private var scanner: SectionScanner
    /// The sections that the walk has passed.
    private var count: UInt64 = 0
    private let scan: (any HeaderScan)?

    /// A walk that stands before the first section.
    ///
    /// - Parameters:
    ///   - source: Where the bytes are.
    ///   - layout: The places in the source.
    ///   - limits: What is accepted.
    ///   - scan: Brings the bytes of a source at a distance; nil to read them.
    package init(
        _ source: any ByteSource,
        layout: CARLayout,
        limits: CARLimits,
        scan: (any HeaderScan)? = nil
    ) {
        let size = min(UInt64(Self.windowSize), max(layout.dataSize, 1))
        window = FileWindow(on: source, capacity: Int(size))
        self.layout = layout
        self.scan = scan
        scanner = SectionScanner(
            start: layout.headerSize,
            payloadSize: layout.dataSize,
            limits: limits
        )
    }

    /// The payload offset of the next section; at the end, the end of the data.
    package var position: UInt64 { scanner.position }

    /// Calls `body` with each section and its digest.
    ///
    /// - Parameter body: Receives a section, and its digest in a view that is valid during the call.
    /// - Throws: `CARError`, `MountError`, and what `body` throws.
    package mutating func forEach(_ body: (borrowing Section, ByteView) throws -> Void) throws {
        var section = Section.none
        var bytes = ByteView.empty
        var start: UInt64 = 0
        while true {
            switch try scanner.next(in: bytes, at: start, into: &section) {
            case .section:
                let digest = Int(section.cidOffset - start) + section.cid.digestOffset
                try body(section, bytes[digest..<digest + section.cid.digestSize])
                count += 1
            case .needs(let size):
                try moveWindow(size, after: section.length)
                bytes = window.bytes
                start = scanner.position
            case .end:
                return
            }
        }
    }

    /// Collects the sections in batches.
    ///
    /// - Parameters:
    ///   - batch: Receives sections; what it has at the end was not given to `next`.
    ///   - next: Takes what is in a full batch; the walk ends there if it returns false.
    /// - Throws: `CARError`, `MountError`, and what `next` throws.
    mutating func forEach(
        into batch: inout SectionBatch,
        _ next: (inout SectionBatch) throws -> Bool
    ) throws {
        var section = Section.none
        var bytes = ByteView.empty
        var start: UInt64 = 0
        while true {
            switch try scanner.next(in: bytes, at: start, into: &section) {
            case .section:
                let digest = Int(section.cidOffset - start) + section.cid.digestOffset
                batch.append(
                    offset: section.offset,
                    size: UInt64(section.prefixSize) + section.length,
                    layout: section.cid,
                    digest: bytes[digest..<digest + section.cid.digestSize]
                )
                count += 1
                guard batch.isFull else { continue }
                guard try next(&batch) else { return }
            case .needs(let size):
                try moveWindow(size, after: section.length)
                bytes = window.bytes
                start = scanner.position
            case .end:
                return
            }
        }
    }

    /// The next section; `digest(of:)` has its digest.
    ///
    /// - Returns: Whether there is one.
    /// - Throws: `CARError`, `MountError`.
    package mutating func next(into section: inout Section) throws -> Bool {
        while true {
            let bytes = window.bytes
            let start = bytes.isEmpty ? scanner.position : window.offset - layout.dataOffset
            switch try scanner.next(in: bytes, at: start, into: &section) {
            case .section:
                count += 1
                return true
            case .needs(let size): try moveWindow(size, after: section.length)
            case .end: return false
            }
        }
    }

    /// The digest of the section that `next(into:)` gave last; the view is valid until the next call.
    package func digest(of section: borrowing Section) -> ByteView {
        let place = layout.dataOffset + section.cidOffset - window.offset
        let start = Int(place) + section.cid.digestOffset
        return window.bytes[start..<start + section.cid.digestSize]
    }

    /// Moves the window to the scanner's position, after a section of `lastSize` bytes.
    private mutating func moveWindow(_ needed: Int, after lastSize: UInt64) throws(MountError) {
        let remaining = layout.dataSize - scanner.position
        if let scan {
            let offset = layout.dataOffset + scanner.position
            let size = Int(min(UInt64(needed), remaining))
            window.fill(with: try scan.bytes(at: offset, needs: size, after: count), at: offset)
            return
        }
        let wanted = lastSize > Self.largeSectionSize ? Self.headerWindowSize : window.capacity
        let size = Int(min(UInt64(max(needed, wanted)), remaining))
        // The size was taken when the file was opened: it is there, or the file became shorter.
        try window.fill(at: layout.dataOffset + scanner.position, size: size)
    }
}
