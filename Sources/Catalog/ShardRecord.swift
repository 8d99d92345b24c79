package import Bytes

/// What is known of a shard and survives everything.
///
/// ```
///  0  u8  version            1
///  1  u8  state              see `State`
///  2  u8  flags              bit 0 registered lazily
///  3  u8  zero
///  4  i32 error              the code of the last failure, 0 if there was none
///  8  u64 generation         of the index; 0 if there is none
/// 16  u64 registered         milliseconds since 1970
/// 24  u64 state since        milliseconds since 1970
/// 32  u64 sections
/// 40  u64 payload size       bytes
/// 48  u64 index size         bytes of pages and locator
/// 56  u64 file size          what the source was when it was indexed
/// 64  i64 file modified      nanoseconds since 1970
/// 72  u64 file inode
/// 80  u64 file device
/// 88  u16 key size
/// 90  u16 zero
/// 92  u32 URL size
/// 96  u32 error text size
/// 100 key, mount URL, error text     UTF-8
/// ```
package struct ShardRecord: Equatable, Sendable {
    /// Where a shard is in its life, as far as it is written down.
    package enum State: UInt8, Sendable, CaseIterable {
        /// Known, not indexed.
        case registered = 0
        /// Indexed and readable.
        case available = 2
        /// Unreadable until recovered.
        case failed = 4
    }

    package static let version: UInt8 = 1
    static let headerSize = 100
    /// The longest key in bytes: LMDB's keys have at most 511.
    package static let keySizeMax = 480
    /// The longest mount URL in bytes.
    package static let urlSizeMax = 64 << 10
    /// The longest error text that is kept.
    package static let errorTextSizeMax = 4 << 10

    /// The shard's number: given once, never again.
    package var number: UInt32
    package var key: String
    package var mountURL: String
    package var state: State
    package var isLazy = false
    /// The code of the last failure, 0 if there was none.
    package var errorCode: Int32 = 0
    package var errorText = ""
    /// The generation of the index, 0 if there is none.
    package var generation: UInt64 = 0
    /// When it was registered, in milliseconds since 1970.
    package var registered: UInt64 = 0
    /// Since when it is in its state, in milliseconds since 1970.
    package var stateSince: UInt64 = 0
    package var sectionCount: UInt64 = 0
    package var payloadSize: UInt64 = 0
    /// Bytes of pages and locator.
    package var indexSize: UInt64 = 0
    package var fileSize: UInt64 = 0
    package var fileModified: Int64 = 0
    package var fileInode: UInt64 = 0
    package var fileDevice: UInt64 = 0

    package init(number: UInt32, key: String, mountURL: String, state: State) {
        self.number = number
        self.key = key
        self.mountURL = mountURL
        self.state = state
    }

    /// The record's bytes.
    package func encoded() -> [UInt8] {
        let errorText = Array(errorText.utf8.prefix(Self.errorTextSizeMax))
        var bytes: [UInt8] = [Self.version, state.rawValue, isLazy ? 1 : 0, 0]
        bytes.reserveCapacity(Self.headerSize + key.utf8.count + mountURL.utf8.count + 64)
        bytes.appendLittleEndian(errorCode)
        for value in [
            generation, registered, stateSince, sectionCount, payloadSize, indexSize, fileSize,
        ] {
            bytes.appendLittleEndian(value)
        }
        bytes.appendLittleEndian(fileModified)
        bytes.appendLittleEndian(fileInode)
        bytes.appendLittleEndian(fileDevice)
        bytes.appendLittleEndian(UInt16(key.utf8.count))
        bytes.appendLittleEndian(UInt16(0))
        bytes.appendLittleEndian(UInt32(mountURL.utf8.count))
        bytes.appendLittleEndian(UInt32(errorText.count))
        assert(bytes.count == Self.headerSize)
        bytes += key.utf8
        bytes += mountURL.utf8
        bytes += errorText
        return bytes
    }

    /// Reads a record.
    ///
    /// - Throws: `.corrupt` if it is none; `.tooNew` if a newer version wrote it.
    package init(number: UInt32, reading bytes: ByteView) throws(CatalogError) {
        guard bytes.count >= Self.headerSize, bytes[0] >= 1 else {
            throw CatalogError(.corrupt, "the record of shard \(number)")
        }
        guard bytes[0] == Self.version else {
            throw CatalogError(.tooNew, "the record of shard \(number) has version \(bytes[0])")
        }
        let keyEnd = Self.headerSize + Int(bytes.loadUInt16(at: 88))
        let urlEnd = keyEnd + Int(bytes.loadUInt32(at: 92))
        let textEnd = urlEnd + Int(bytes.loadUInt32(at: 96))
        guard textEnd == bytes.count, let state = State(rawValue: bytes[1]) else {
            throw CatalogError(.corrupt, "the record of shard \(number)")
        }
        self.init(
            number: number,
            key: String(decoding: bytes[Self.headerSize..<keyEnd].copied, as: UTF8.self),
            mountURL: String(decoding: bytes[keyEnd..<urlEnd].copied, as: UTF8.self),
            state: state
        )
        isLazy = bytes[2] & 1 != 0
        errorCode = Int32(bitPattern: bytes.loadUInt32(at: 4))
        errorText = String(decoding: bytes[urlEnd..<textEnd].copied, as: UTF8.self)
        generation = bytes.loadUInt64(at: 8)
        registered = bytes.loadUInt64(at: 16)
        stateSince = bytes.loadUInt64(at: 24)
        sectionCount = bytes.loadUInt64(at: 32)
        payloadSize = bytes.loadUInt64(at: 40)
        indexSize = bytes.loadUInt64(at: 48)
        fileSize = bytes.loadUInt64(at: 56)
        fileModified = Int64(bitPattern: bytes.loadUInt64(at: 64))
        fileInode = bytes.loadUInt64(at: 72)
        fileDevice = bytes.loadUInt64(at: 80)
    }
}
