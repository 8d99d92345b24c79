public import DAGBytes
public import DAGMultiformats

/// One section of a CAR payload, as ranges without a copy.
///
/// ```
/// offset      cidOffset         dataOffset        end
/// | uv(L)     | CID             | data            |
/// ```
@frozen public struct Section: Equatable, Sendable {
    /// The offset of the length varint, in bytes from the start of the payload.
    public var offset: UInt64
    /// The size of the length varint.
    public var prefixSize: Int
    /// The section's length: CID and data.
    public var length: UInt64
    /// The parts of the CID.
    public var cid: CIDLayout

    /// The offset of the CID in the payload.
    @inlinable public var cidOffset: UInt64 { offset + UInt64(prefixSize) }
    /// The offset of the data in the payload.
    @inlinable public var dataOffset: UInt64 { cidOffset + UInt64(cid.size) }
    /// The size of the data.
    @inlinable public var dataSize: UInt64 { length - UInt64(cid.size) }
    /// The offset of the byte after the section.
    @inlinable public var end: UInt64 { cidOffset + length }

    /// Creates a section from its parts.
    @inlinable public init(offset: UInt64, prefixSize: Int, length: UInt64, cid: CIDLayout) {
        self.offset = offset
        self.prefixSize = prefixSize
        self.length = length
        self.cid = cid
    }

    /// An empty section, to read into.
    @inlinable public static var none: Section {
        Section(offset: 0, prefixSize: 0, length: 34, cid: .versionZero)
    }
}

/// Walks the sections of a CAR payload through a window of bytes in memory.
///
/// The scanner opens no file and keeps no bytes. Its owner passes a window of the payload, and the scanner returns a
/// section, the end, or the size of the window that it needs. A mapped payload is one window. Files with large blocks
/// are read in small windows, at the offsets that the scanner asks for.
///
/// *Cost*: O(1) a section, no allocation.
@frozen public struct SectionScanner: Sendable {
    /// The result of `next`.
    @frozen public enum Step: Equatable, Sendable {
        /// The parameter has received a section.
        case section
        /// There are no more sections. `position` is the end of the data.
        case end
        /// The window must begin at `position` and hold at least this many bytes.
        case needs(Int)
    }

    /// The payload offset of the next section.
    public private(set) var position: UInt64
    /// The size of the payload.
    public let payloadSize: UInt64
    /// The limits.
    public let limits: CARLimits

    /// Creates a scanner at the first section.
    ///
    /// - Parameters:
    ///   - start: The payload offset of the first section: the header's size.
    ///   - payloadSize: The size of the payload in bytes.
    ///   - limits: `sectionSizeMax` and `nullPadding` apply.
    public init(start: UInt64, payloadSize: UInt64, limits: CARLimits = CARLimits()) {
        precondition(start <= payloadSize, "the first section starts after the payload")
        self.position = start
        self.payloadSize = payloadSize
        self.limits = limits
    }

    /// Reads the next section.
    ///
    /// - Parameters:
    ///   - window: Some bytes of the payload; the scanner ignores bytes after the payload.
    ///   - windowOffset: The offset of `window` in the payload.
    ///   - section: Receives the section.
    /// - Returns: The result; after `.needs` call again with another window.
    /// - Throws: `.truncated` if the section ends after the payload; `.malformedVarint`, `.malformedCID`,
    ///   `.malformedSection`, `.limitExceeded`, `.nullPadding`.
    public mutating func next(
        in window: ByteView,
        at windowOffset: UInt64,
        into section: inout Section
    ) throws(CARError) -> Step {
        let remaining = payloadSize - position
        guard remaining > 0 else { return .end }
        guard position >= windowOffset, position - windowOffset < UInt64(window.count) else {
            return .needs(Int(min(remaining, 64)))
        }
        let start = Int(position - windowOffset)
        let prefix = Varint.decode(window, at: start)
        guard prefix.size > 0 else {
            return try needsOrThrow(prefix.size, have: window.count - start, remaining)
        }
        let length = prefix.value
        if length == 0 { return try padding() }
        guard length <= limits.sectionSizeMax else {
            throw CARError(
                .limitExceeded,
                at: position,
                "a section of \(length) bytes, over the limit of \(limits.sectionSizeMax)"
            )
        }
        guard UInt64(prefix.size) <= remaining, length <= remaining - UInt64(prefix.size) else {
            throw CARError(.truncated, at: position, "a section of \(length) bytes")
        }
        let cidStart = start + prefix.size
        let visible = Int(min(UInt64(window.count - cidStart), length))
        let bytes = window[cidStart..<cidStart + visible]
        guard let layout = CIDLayout.common(bytes) else {
            return try nextWithRareCID(bytes, prefix.size, length, into: &section)
        }
        finishSection(layout, prefix.size, length, into: &section)
        return .section
    }

    private mutating func nextWithRareCID(
        _ bytes: ByteView,
        _ prefixSize: Int,
        _ length: UInt64,
        into section: inout Section
    ) throws(CARError) -> Step {
        switch CIDLayout.decode(bytes) {
        case .success(let layout):
            finishSection(layout, prefixSize, length, into: &section)
            return .section
        case .failure(let error):
            guard case .truncated(let needed) = error.fault, UInt64(bytes.count) < length else {
                throw cidError(error.fault)
            }
            return .needs(try sizeNeeded(needed, bytes.count, prefixSize, length))
        }
    }

    @inline(__always)
    private mutating func finishSection(
        _ layout: CIDLayout,
        _ prefixSize: Int,
        _ length: UInt64,
        into section: inout Section
    ) {
        section.offset = position
        section.prefixSize = prefixSize
        section.length = length
        section.cid = layout
        position += UInt64(prefixSize) + length
    }

    private func needsOrThrow(
        _ size: Int,
        have: Int,
        _ remaining: UInt64
    ) throws(CARError) -> Step {
        guard size == Varint.Decoded.truncated else {
            throw CARError(.malformedVarint, at: position, "section length")
        }
        guard UInt64(have) < remaining else {
            throw CARError(.truncated, at: position, "section length")
        }
        return .needs(Int(min(remaining, 64)))
    }

    private mutating func padding() throws(CARError) -> Step {
        guard limits.nullPadding == .endsData else {
            throw CARError(.nullPadding, at: position)
        }
        return .end
    }

    private func sizeNeeded(
        _ needed: Int?,
        _ visible: Int,
        _ prefixSize: Int,
        _ length: UInt64
    ) throws(CARError) -> Int {
        // If the digest begins after the window, the scanner asks for the whole CID. If the window cuts the head off,
        // it asks for the longest possible head.
        let size = needed ?? max(visible + 1, 4 * Varint.sizeMax)
        guard needed == nil || UInt64(size) <= length else {
            throw CARError(.malformedSection, at: position, "shorter than its CID")
        }
        return prefixSize + Int(min(UInt64(size), length))
    }

    private func cidError(_ fault: CIDLayout.Fault) -> CARError {
        switch fault {
        case .truncated: CARError(.malformedSection, at: position, "shorter than its CID")
        case .limitExceeded: CARError(.limitExceeded, at: position, "CID digest")
        case .malformedVarint: CARError(.malformedCID, at: position, "varint")
        case .unsupportedVersion: CARError(.malformedCID, at: position, "CID version")
        }
    }
}

extension Section {
    /// Reads the one section at `offset` of a payload that is in memory as a whole.
    ///
    /// This is the confirming read of a look-up: `offset` may be wrong, and the result is then nil.
    ///
    /// - Parameters:
    ///   - payload: The whole payload.
    ///   - offset: The offset of a possible section.
    /// - Returns: The section, or nil if there is none that ends inside the payload.
    @inlinable public static func reading(_ payload: ByteView, at offset: UInt64) -> Section? {
        guard offset < UInt64(payload.count) else { return nil }
        return reading(payload, at: Int(offset), of: 0, remaining: payload.count - Int(offset))
    }

    /// Reads the one section at `start` of a window of a payload.
    ///
    /// - Parameters:
    ///   - window: Bytes of the payload, with the section's varint and CID if there are any.
    ///   - start: The offset of a possible section in the window.
    ///   - windowOffset: The offset of the window in the payload.
    ///   - remaining: The number of payload bytes from `start` on.
    /// - Returns: The section, or nil if there is none that ends inside the payload.
    @inlinable public static func reading(
        _ window: ByteView,
        at start: Int,
        of windowOffset: UInt64,
        remaining: Int
    ) -> Section? {
        let prefix = Varint.decode(window, at: start)
        guard prefix.size > 0, prefix.value > 0 else { return nil }
        guard prefix.value <= UInt64(remaining - prefix.size) else { return nil }
        let cidStart = start + prefix.size
        let content = window[cidStart..<min(cidStart + Int(prefix.value), window.count)]
        guard let layout = CIDLayout.common(content) ?? (try? CIDLayout.decode(content).get())
        else {
            return nil
        }
        return Section(
            offset: windowOffset + UInt64(start),
            prefixSize: prefix.size,
            length: prefix.value,
            cid: layout
        )
    }
}
