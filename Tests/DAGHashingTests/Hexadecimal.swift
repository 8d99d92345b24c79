import DAGBytes
import DAGHashing

/// The bytes that `text` spells; nil if it is not hexadecimal.
func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// `bytes` in lower-case hexadecimal.
func hexadecimal(_ bytes: [UInt8]) -> String { bytes.withView { $0.hexadecimal } }

extension BlockHash {
    /// Whether the package computes the function `code`.
    static func isSupported(_ code: UInt64) -> Bool {
        [UInt8]().withView { digest(code, of: $0) } != nil
    }
}
