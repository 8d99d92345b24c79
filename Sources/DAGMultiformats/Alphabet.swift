/// The symbols of a base, and the way back from a symbol to its digit.
///
/// The tables are sized so that an index that is masked, or that is a byte, needs no bounds check.
struct Alphabet: Sendable {
    /// The symbol of each digit, in ASCII.
    let symbols: InlineArray<64, UInt8>
    /// The digit of each byte, or `Alphabet.none`.
    let digits: InlineArray<256, UInt8>

    /// What `digits` says of a byte that is no symbol.
    static let none: UInt8 = 0xff

    /// An alphabet of at most 64 ASCII symbols.
    ///
    /// - Parameters:
    ///   - text: The symbols, digit 0 first.
    ///   - ignoresCase: Whether a letter of the other case is read as the same digit.
    init(_ text: StaticString, ignoresCase: Bool) {
        var symbols = InlineArray<64, UInt8>(repeating: 0)
        var digits = InlineArray<256, UInt8>(repeating: Self.none)
        for (digit, symbol) in text.description.utf8.enumerated() {
            symbols[digit] = symbol
            digits[Int(symbol)] = UInt8(digit)
            if ignoresCase, symbol >= UInt8(ascii: "A") {
                digits[Int(symbol ^ 0x20)] = UInt8(digit)
            }
        }
        self.symbols = symbols
        self.digits = digits
    }
}
