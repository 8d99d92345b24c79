#if Cluster
    /// A parameter of a statement, sent in binary.
    ///
    /// The server infers its type from the statement, so the statement casts where that is open: `$1::bigint`.
    package enum SQLValue: Sendable, Equatable {
        /// NULL of any type.
        case null
        /// A `bigint`.
        case integer(Int64)
        /// A `boolean`.
        case truth(Bool)
        /// A `text`; UTF-8 without NUL, which the server rejects.
        case text(String)
        /// A `bytea`, at most `bytesMax` bytes.
        case bytes([UInt8])
        /// A `bigint[]` without NULLs.
        case integers([Int64])
        /// A `bytea[]` without NULLs.
        case byteStrings([[UInt8]])

        /// The most bytes of one value: larger ones are several rows, so that a row is quick on every engine.
        package static let bytesMax = 1 << 20

        /// Whether a value exceeds `bytesMax`.
        var isTooLarge: Bool {
            switch self {
            case .bytes(let bytes): bytes.count > Self.bytesMax
            case .byteStrings(let strings): strings.contains { $0.count > Self.bytesMax }
            default: false
            }
        }

        /// The numbers that PostgreSQL gives its types.
        enum TypeNumber {
            static let bool: UInt32 = 16
            static let bytea: UInt32 = 17
            static let int8: UInt32 = 20
            static let int2: UInt32 = 21
            static let int4: UInt32 = 23
            static let text: UInt32 = 25
            static let varchar: UInt32 = 1043
        }

        /// The bytes that the server receives; nil for NULL.
        ///
        /// *Shape* of an array, numbers in big-endian order:
        ///
        /// ```
        ///  0        4        8        12       16          20
        /// | 1 dim  | no NULL | type  | count  | first is 1 | size | bytes | size | bytes | ...
        /// ```
        ///
        /// An array without elements has no dimension, and ends after the type.
        var encoded: [UInt8]? {
            switch self {
            case .null: nil
            case .integer(let number): Self.bigEndian(number)
            case .truth(let isTrue): [isTrue ? 1 : 0]
            case .text(let text): Array(text.utf8)
            case .bytes(let bytes): bytes
            case .integers(let numbers):
                Self.array(numbers.map { Self.bigEndian($0) }, of: TypeNumber.int8)
            case .byteStrings(let strings): Self.array(strings, of: TypeNumber.bytea)
            }
        }

        private static func array(_ elements: [[UInt8]], of type: UInt32) -> [UInt8] {
            var bytes = bigEndian(Int32(elements.isEmpty ? 0 : 1)) + bigEndian(Int32(0))
            bytes += bigEndian(type)
            guard !elements.isEmpty else { return bytes }
            bytes += bigEndian(Int32(elements.count)) + bigEndian(Int32(1))
            for element in elements { bytes += bigEndian(Int32(element.count)) + element }
            return bytes
        }

        private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            (0..<MemoryLayout<Number>.size).reversed().map {
                UInt8(truncatingIfNeeded: number >> (8 * $0))
            }
        }
    }
#endif
