internal import DAGBytes
internal import DAGMultiformats
internal import SystemPackage

/// The records of one Boost piece, with offsets in its payload.
struct BoostRecords: MigrationRecords {
    let path: FilePath
    let reader: LevelDBReader
    let cursor: UInt64
    /// Where the payload begins in the piece.
    let dataOffset: UInt64

    func forEach(
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64)
            throws(MigrationError) -> Void
    ) throws(MigrationError) {
        let prefix = Array("/\(cursor)/".utf8)
        try reader.forEach(prefix: prefix) { (key, value) throws(MigrationError) in
            guard let multihash = Self.multihash(in: key[prefix.count..<key.count]),
                let parts = Self.parts(of: multihash)
            else { throw malformed("a key is no multihash") }
            let offset = Varint.decode(value, at: 0)
            guard offset.size > 0 else { throw malformed("a record has no offset") }
            guard offset.value >= dataOffset else {
                throw malformed("the offset \(offset.value) lies before the payload")
            }
            // The closure of a view cannot throw a typed error, so it returns a result.
            try multihash.withView { bytes in
                Result { () throws(MigrationError) in
                    try body(
                        parts.hashCode,
                        bytes[parts.digestOffset..<bytes.count],
                        offset.value - dataOffset
                    )
                }
            }.get()
            return true
        }
    }

    private func malformed(_ detail: String) -> MigrationError {
        MigrationError(.malformedIndex, path, "cursor \(cursor): \(detail)")
    }

    /// Reads a multihash written in hexadecimal digits; nil if it is malformed.
    static func multihash(in digits: ByteView) -> [UInt8]? {
        let digits = digits.copied
        return try? Multibase.base16.decode(digits.span, from: 0)
    }

    /// Returns the hash function of a multihash and where its digest begins; nil if the multihash is malformed.
    static func parts(of multihash: [UInt8]) -> (hashCode: UInt64, digestOffset: Int)? {
        multihash.withView { view in
            let code = Varint.decode(view, at: 0)
            guard code.size > 0 else { return nil }
            let size = Varint.decode(view, at: code.size)
            guard size.size > 0,
                size.value == UInt64(view.count - code.size - size.size)
            else { return nil }
            return (code.value, code.size + size.size)
        }
    }
}
