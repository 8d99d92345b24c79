internal import DAGBytes
package import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import ShardIndex

/// Bytes after the end of a CAR's data that are not padding, and that no reader sees.
///
/// A section of length zero ends the data; zeros after it pad a Filecoin piece. Other bytes there may be lost sections.
package struct IgnoredBytes: Equatable, Sendable {
    /// Where the first byte that is not zero stands in the payload.
    package let offset: UInt64
    /// The number of bytes from there to the end of the payload.
    package let count: UInt64

    /// Bytes from `offset` on.
    package init(offset: UInt64, count: UInt64) {
        self.offset = offset
        self.count = count
    }

    /// What is wrong, for people.
    package var detail: String {
        "\(count == 1 ? "1 byte" : "\(count) bytes") from payload offset \(offset) on are ignored: a section of "
            + "length zero before that ends the data, and not all are zero"
    }
}

extension DAGStore {
    /// Looks for bytes of a shard that are not padding, and that no reader sees.
    ///
    /// *Cost*: as `CARFile.ignoredBytes(after:)`, on a thread of its own.
    ///
    /// - Parameter key: The shard; one that is not open and at hand is not looked at.
    /// - Returns: The bytes; nil if there are none, or if the shard is not at hand.
    /// - Throws: `closed`, and what reading throws.
    package func ignoredBytes(of key: ShardKey) async throws -> IgnoredBytes? {
        // Nearly no shard has anything after its data, and the root page says so: it need not be opened.
        let isPadded = try engine.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return false }
            return try engine.withLastingIndex(of: record.number) {
                $0.root.dataEnd < $0.root.payloadSize
            } ?? false
        }
        guard isPadded, let shard = try acquireIfAvailable(key) else { return nil }
        defer { shard.release() }
        let core = shard.core
        let limits = engine.configuration.limits
        return try await JobPool(label: "dagstore.padding", width: 1).run {
            do {
                let car = try CARFile(try core.openReader(), limits: limits)
                return try car.ignoredBytes(after: core.root.dataEnd)
            } catch {
                throw DAGStoreError(any: error)
            }
        }
    }
}

extension CARFile {
    /// How much is read at once.
    private static let paddingWindowSize = 1 << 20

    /// Looks for bytes that are not zero after the end of the data.
    ///
    /// *Cost*: one read of what follows the data, up to the first byte that is not zero; holes of a local file cost
    /// nothing. Blocks the calling thread.
    ///
    /// - Parameter end: The payload offset of the end of the data: where a walk ended.
    /// - Returns: The bytes; nil if there are none, or only zeros.
    /// - Throws: `CARError(.truncated)` if the payload cannot be read.
    package func ignoredBytes(after end: UInt64) throws(CARError) -> IgnoredBytes? {
        guard end < layout.dataSize else { return nil }
        let size = min(UInt64(Self.paddingWindowSize), layout.dataSize - end)
        let window = FileWindow(on: source, capacity: Int(size))
        var position = end
        while position < layout.dataSize {
            // Sparse files are padded with holes of gigabytes.
            let next = source.dataOffset(from: layout.dataOffset + position) - layout.dataOffset
            position = max(position, next)
            guard position < layout.dataSize else { return nil }
            let count = Int(min(UInt64(window.capacity), layout.dataSize - position))
            do throws(MountError) {
                try window.fill(at: layout.dataOffset + position, size: count)
            } catch {
                throw CARError(.truncated, at: position, error.detail)
            }
            if let place = window.bytes.firstNonzero {
                let offset = position + UInt64(place)
                return IgnoredBytes(offset: offset, count: layout.dataSize - offset)
            }
            position += UInt64(count)
        }
        return nil
    }
}
