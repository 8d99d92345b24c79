internal import DAGBytes
internal import DAGCAR
internal import DAGMounts
internal import DAGMultiformats
internal import SystemPackage

/// An index file in one of go-car's formats, read in bounded memory; see `CARIndex` for the bytes.
///
/// The file is untrusted: opening checks its structure, and reading checks the order of its records. Nothing here
/// checks whether the offsets lead to sections.
///
/// *Memory*: a window of 1 MiB, or one record if that is larger. *Concurrency*: one thread.
final class IndexFile: MigrationRecords {
    /// The records of one width, and in codec 0x0401 of one hash function.
    struct Bucket {
        let hashCode: UInt64?
        let width: Int
        /// Where the first record begins in the file.
        let start: UInt64
        let count: UInt64
    }

    /// The most buckets of an index; an honest index has one for each hash function and digest size.
    private static let bucketCountMax = 1 << 16
    private static let windowSize = 1 << 20

    let path: FilePath
    let codec: UInt64
    private(set) var buckets: [Bucket] = []
    private let file: LocalFile
    private let window: FileWindow
    private var position: UInt64 = 0

    /// Opens the index at `path` and reads its structure.
    ///
    /// *Cost*: a read for every bucket.
    ///
    /// - Throws: `.sourceUnreadable`, `.truncated`, `.malformedIndex`.
    init(at path: FilePath) throws(MigrationError) {
        self.path = path
        do throws(MountError) {
            file = try LocalFile(opening: path)
            window = FileWindow(on: file, capacity: min(Self.windowSize, max(64, Int(file.size))))
            try window.read(at: 0, size: min(9, Int(file.size)))
        } catch {
            throw MigrationError(error, path)
        }
        let codec = Varint.decode(window.bytes, at: 0)
        guard codec.size > 0 else {
            let isShort = codec.size == Varint.Decoded.truncated
            throw MigrationError(
                isShort ? .truncated : .malformedIndex,
                path,
                "the file ends in the index codec, or the codec is malformed"
            )
        }
        self.codec = codec.value
        position = UInt64(codec.size)
        switch codec.value {
        case CARIndex.sorted: try readBuckets(hashCode: nil)
        case CARIndex.multihashSorted:
            for _ in 0..<(try readCount("codes")) {
                let place = position
                let hashCode = try readInteger("hash code")
                guard hashCode <= UInt64(Int64.max) else {
                    throw malformed("the hash code \(hashCode) at byte \(place) is too large")
                }
                try readBuckets(hashCode: hashCode)
            }
        default:
            let text = String(codec.value, radix: 16)
            throw malformed("the index codec 0x\(text) is unknown")
        }
    }

    /// The number of records.
    var count: UInt64 { buckets.reduce(0) { $0 + $1.count } }
    /// The size of the file in bytes.
    var size: UInt64 { file.size }

    /// Calls `body` with every record, in file order.
    ///
    /// - Parameter body: Receives the hash function if it is known, the digest, valid during the call, and
    ///   the section's offset.
    /// - Throws: `.malformedIndex` if a bucket is not in the order of its digests; `.sourceChanged`,
    ///   `.sourceUnreadable`, and what `body` throws.
    func forEach(
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64) throws(MigrationError)
            -> Void
    ) throws(MigrationError) {
        for bucket in buckets {
            var last: [UInt8] = []
            let perWindow = UInt64(max(1, window.capacity / bucket.width))
            var done: UInt64 = 0
            while done < bucket.count {
                let share = Int(min(perWindow, bucket.count - done))
                try fillWindow(
                    at: bucket.start + done * UInt64(bucket.width),
                    size: share * bucket.width
                )
                let bytes = window.bytes
                for number in 0..<share {
                    let start = number * bucket.width
                    let digest = bytes[start..<start + bucket.width - 8]
                    let isInOrder =
                        number > 0
                        ? !digest.lexicographicallyPrecedes(
                            bytes[start - bucket.width..<start - 8]
                        )
                        : done == 0 || last.withView { !digest.lexicographicallyPrecedes($0) }
                    guard isInOrder else {
                        let detail = "the records at byte \(bucket.start) are not sorted"
                        throw MigrationError(.malformedIndex, path, detail)
                    }
                    let offset = bytes.loadUInt64(at: start + bucket.width - 8)
                    try body(bucket.hashCode, digest, offset)
                }
                let end = (share - 1) * bucket.width
                last = bytes[end..<end + bucket.width - 8].copied
                done += UInt64(share)
            }
        }
        do throws(MountError) { try file.checkUnchanged() } catch {
            throw MigrationError(error, path)
        }
    }

    // MARK: Structure

    private func readBuckets(hashCode: UInt64?) throws(MigrationError) {
        for _ in 0..<(try readCount("widths")) {
            let place = position
            let width = try readInteger("width", as: UInt32.self)
            let size = try readInteger("size", as: UInt64.self)
            guard width >= 8, width <= CARIndex.widthMax else {
                throw malformed("the record width \(width) at byte \(place) is out of range")
            }
            guard size % UInt64(width) == 0 else {
                throw malformed(
                    "\(size) bytes at byte \(place) are no multiple of the record width \(width)"
                )
            }
            guard size <= file.size - position else {
                let detail =
                    "the file ends before the \(size) bytes of records announced at byte \(place)"
                throw MigrationError(.truncated, path, detail)
            }
            guard buckets.count < Self.bucketCountMax else {
                throw malformed("more than \(Self.bucketCountMax) buckets")
            }
            let bucket = Bucket(
                hashCode: hashCode,
                width: Int(width),
                start: position,
                count: size / UInt64(width)
            )
            if bucket.count > 0 { buckets.append(bucket) }
            position += size
        }
    }

    private func malformed(_ detail: String) -> MigrationError {
        MigrationError(.malformedIndex, path, detail)
    }

    private func readCount(_ what: String) throws(MigrationError) -> Int {
        let count = try readInteger(what, as: Int32.self)
        guard count >= 0 else { throw malformed("the number of \(what) is \(count)") }
        return Int(count)
    }

    private func readInteger<T: FixedWidthInteger>(
        _ what: String,
        as type: T.Type = UInt64.self
    ) throws(MigrationError) -> T {
        let size = T.bitWidth / 8
        guard file.size - position >= UInt64(size) else {
            throw MigrationError(.truncated, path, "the file ends in the \(what)")
        }
        try fillWindow(at: position, size: size)
        var value: T = 0
        for offset in (0..<size).reversed() {
            value = value << 8 | T(truncatingIfNeeded: window.bytes[offset])
        }
        position += UInt64(size)
        return value
    }

    private func fillWindow(at offset: UInt64, size: Int) throws(MigrationError) {
        do throws(MountError) {
            try window.fill(at: offset, size: size)
        } catch {
            throw MigrationError(error, path)
        }
    }
}
