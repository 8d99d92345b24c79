internal import DAGBytes
package import DAGCAR
internal import DAGMounts

/// Bytes after the end of a CAR's data that are not padding, and that no reader sees.
///
/// A section of length zero ends the data; zeros after it pad a Filecoin piece. Other bytes there may be lost
/// sections.
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

    /// The fault, as text.
    package var detail: String {
        "\(count == 1 ? "1 byte" : "\(count) bytes") from payload offset \(offset) on are ignored: a section of "
            + "length zero before that ends the data, and not all are zero"
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
