internal import DAGMultiformats

/// A page of a shard's index: up to 256 consecutive sections in CAR order.
///
/// ```
///  0  u64 checksum           xxh64 of everything after it
///  8  u64 base offset        where the first section starts in the payload
/// 16  u64 first ordinal      its number in CAR order
/// 24  u32 digests, stored    size of the digest column as it stands here
/// 28  u32 digests            its size when decoded
/// 32  u32 body               size of the body when decoded
/// 36  u16 count              sections, 1 to 256
/// 38  u8  flags              bit 0 body is zstd, bit 1 digests are zstd, bit 2 sizes unknown
/// 39  u8  kinds - 1          rows of the kind table
/// 40  body                   kind table, kind column, offset column
///  …  digests                one after another, in CAR order
/// ```
///
/// The kind table has each combination of CID version, codec, hash function and digest size once (see `EntryKind`).
/// The two columns after it begin with a tag:
///
/// ```
/// kinds    0  nothing                 every section has kind 0
///          1  u8 mode, bitmap, u8*    bit i set: section i is an exception, its kind is in the list
///          2  u8*                     one a section
/// offsets  0  uv(size)                every section has that size
///          1  uv(span), Elias-Fano    ends of the sections, from the base offset
///          2  u8*   3 u16*   4 u32*   5 u64*      sizes
/// ```
///
/// If sizes are unknown (an index from a file), the offset column has starts instead of ends, relative to the base
/// offset. There may be gaps between sections.
///
/// Elias-Fano of n values below u first has the low l = floor(log2(u / n)) bits of each value, packed and filled up
/// to a byte. The high parts follow in unary: value i is bit number (value >> l) + i.
package enum IndexPage {
    /// The largest number of sections in a page.
    package static let countMax = 256
    /// The number of bytes before the body.
    package static let headerSize = 40
    /// The largest digest of an index in bytes: the largest digest of a CID.
    ///
    /// Only identity CIDs have more than a few dozen bytes.
    package static let digestSizeMax = CID.digestSizeMax
    /// The size of digests at which a page is full.
    package static let digestsSizeSoftMax = 128 << 10
    /// The largest value of pages, and the largest locator segment, in bytes.
    ///
    /// LMDB's overflow pages have a header of 16 bytes, so such a value fills 256 of them.
    package static let valueSizeMax = (1 << 20) - 16
    /// The largest page: a page whose last digest is the largest.
    ///
    /// A page over `valueSizeMax` is a value of its own.
    package static let pageSizeMax = valueSizeMax + digestsSizeSoftMax + digestSizeMax

    enum Flag {
        static let bodyZstd: UInt8 = 1
        static let digestsZstd: UInt8 = 2
        static let sizesUnknown: UInt8 = 4
    }

    enum KindTag {
        static let constant: UInt8 = 0
        static let exceptions: UInt8 = 1
        static let plain: UInt8 = 2
    }

    enum OffsetTag {
        static let constant: UInt8 = 0
        static let eliasFano: UInt8 = 1
        /// The tag of plain sizes of 1 << (tag - 2) bytes.
        static let plain: UInt8 = 2
    }

    /// Returns the number of low bits that Elias-Fano stores apart.
    static func lowBits(span: UInt64, count: Int) -> Int {
        let ratio = span / UInt64(count)
        return ratio == 0 ? 0 : 63 - ratio.leadingZeroBitCount
    }
}
