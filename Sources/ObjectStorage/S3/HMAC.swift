internal import DAGBytes
internal import DAGHashing

/// SHA-256, and its keyed form.
///
/// *Cost*: O(data), and a few short arrays.
enum SHA256 {
    /// The size of a block of the function, in bytes.
    private static let blockSize = 64

    /// Returns the digest of `data`, 32 bytes.
    static func digest(_ data: [UInt8]) -> [UInt8] {
        guard let digest = data.withView({ BlockHash.digest(0x12, of: $0) }) else {
            preconditionFailure("SHA-256 is not built in")
        }
        return digest
    }

    /// Returns the digest of `data` under `key`, 32 bytes.
    ///
    /// Source: RFC 2104, section 2.
    static func keyed(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var key = key.count > blockSize ? digest(key) : key
        key += [UInt8](repeating: 0, count: blockSize - key.count)
        let inner = digest(key.map { $0 ^ 0x36 } + data)
        return digest(key.map { $0 ^ 0x5c } + inner)
    }

    /// Returns the digest of the bytes of `text`, in lower-case hexadecimal digits.
    static func hexadecimal(_ text: String) -> String {
        hexadecimal(Array(text.utf8))
    }

    /// Returns the digest of `data`, in lower-case hexadecimal digits.
    static func hexadecimal(_ data: [UInt8]) -> String {
        digest(data).withView { $0.hexadecimal }
    }
}
