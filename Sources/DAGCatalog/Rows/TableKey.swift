internal import DAGBytes

/// The keys of the catalog's tables: integers, most significant byte first, so that they sort.
enum TableKey {
    static let shardSize = 4
    static let generationSize = 8
    static let valueSize = 12

    /// Returns the key of a shard's number.
    static func shard(_ number: UInt32) -> [UInt8] { bigEndian(number) }

    /// Returns the key of a generation.
    static func generation(_ generation: UInt64) -> [UInt8] { bigEndian(generation) }

    /// Returns the key of one value of a generation.
    static func value(_ generation: UInt64, _ number: UInt32) -> [UInt8] {
        bigEndian(generation) + bigEndian(number)
    }

    /// Returns the least key after those of a generation; nil if there is none.
    static func end(of generation: UInt64) -> [UInt8]? {
        generation == .max ? nil : bigEndian(generation + 1)
    }

    static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value.byteSwapped)
        return bytes
    }
}

extension ByteView {
    /// Loads a shard number or the number of a value, most significant byte first.
    func loadBigEndianUInt32(at offset: Int) -> UInt32 { loadUInt32(at: offset).byteSwapped }
    /// Loads a generation, most significant byte first.
    func loadBigEndianUInt64(at offset: Int) -> UInt64 { loadUInt64(at: offset).byteSwapped }
}
