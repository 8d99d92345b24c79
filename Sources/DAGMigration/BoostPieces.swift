#if LevelDB
    internal import DAGBytes
    internal import FoundationEssentials
    internal import DAGMultiformats
    internal import SystemPackage

    /// The rows of Boost's Local Index Directory.
    ///
    /// ```
    /// / 01 00*9 / <piece CID>          JSON, "c" is the cursor
    /// / 02 00*9 <multihash in hex>     JSON, [{"/":"<piece CID>"},...]
    /// / <cursor> / <multihash in hex>  uvarint offset, uvarint size of the block
    /// ```
    ///
    /// Offsets are those of sections in the piece: in a CARv2 they count from the start of the file, where an
    /// index of go-car counts from the start of the payload.
    struct BoostPieces: Sendable {
        /// What Boost knows of a piece.
        private struct Metadata: Decodable {
            /// 0, or not there, if the piece was not indexed.
            let c: UInt64?
        }

        private struct Link: Decodable {
            let cid: String

            enum CodingKeys: String, CodingKey { case cid = "/" }
        }

        static let slash = UInt8(ascii: "/")
        static let nextCursorKey = [slash] + [UInt8](repeating: 0, count: 10)
        static let metadataPrefix = [slash, 1] + [UInt8](repeating: 0, count: 9) + [slash]
        static let inversePrefix = [slash, 2] + [UInt8](repeating: 0, count: 9)

        let reader: LevelDBReader

        /// Calls `body` with every piece, in order of their CIDs.
        ///
        /// - Parameter body: Receives the piece's CID, nil if it is no text, and its cursor; nil if its metadata cannot
        ///   be read.
        /// - Throws: `.sourceCorrupt`, and what `body` throws.
        func forEachPiece(
            _ body: (_ piece: String?, _ cursor: UInt64?) throws(MigrationError) -> Void
        ) throws(MigrationError) {
            let prefix = Self.metadataPrefix
            try reader.forEach(prefix: prefix) { (key, value) throws(MigrationError) in
                let piece = String(
                    validating: key[prefix.count..<key.count].copied,
                    as: UTF8.self
                )
                let data = Data(value.copied)
                let metadata = try? JSONDecoder().decode(Metadata.self, from: data)
                try body(piece, metadata.map { $0.c ?? 0 })
                return true
            }
        }

        /// Whether this is Boost's: it numbers the records of pieces from the first on.
        func isRecognized() throws(MigrationError) -> Bool {
            var isFound = false
            for prefix in [Self.nextCursorKey, Self.metadataPrefix] {
                try reader.forEach(prefix: prefix) { _, _ in
                    isFound = true
                    return false
                }
            }
            return isFound
        }

        /// The CIDs in a row of the inverse index; nil if it cannot be read.
        static func pieces(in value: [UInt8]) -> [String]? {
            (try? JSONDecoder().decode([Link].self, from: Data(value)))?.map(\.cid)
        }

        /// The bytes of lower-case hexadecimal digits; nil if they are none.
        static func unhex(_ digits: ByteView) -> [UInt8]? {
            guard digits.count % 2 == 0 else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(digits.count / 2)
            for place in stride(from: 0, to: digits.count, by: 2) {
                guard let high = digit(digits[place]), let low = digit(digits[place + 1]) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            }
            return bytes
        }

        private static func digit(_ character: UInt8) -> UInt8? {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
            default: nil
            }
        }
    }

    /// The records of one piece, with offsets in its payload.
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
                guard let multihash = BoostPieces.unhex(key[prefix.count..<key.count]),
                    let start = Self.parts(multihash)
                else { throw malformed("a key that is no multihash") }
                let offset = Varint.decode(value, at: 0)
                guard offset.size > 0 else { throw malformed("a record without an offset") }
                guard offset.value >= dataOffset else {
                    throw malformed("an offset of \(offset.value), before the payload")
                }
                // As a result, because the closure of a view cannot throw an error of its own.
                try multihash.withView { bytes in
                    Result { () throws(MigrationError) in
                        try body(
                            start.hashCode,
                            bytes[start.place..<bytes.count],
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

        /// The hash function of a multihash, and where its digest begins; nil if it is none.
        static func parts(_ bytes: [UInt8]) -> (hashCode: UInt64, place: Int)? {
            bytes.withView { view in
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
#endif
