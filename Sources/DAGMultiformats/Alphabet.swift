/// The symbols of a base, and the digit of each symbol.
///
/// The size of each table lets the compiler drop the bounds check for a byte or a masked index.
struct Alphabet: Sendable {
    /// The symbol of each digit, in ASCII.
    let symbols: InlineArray<64, UInt8>
    /// The digit of each byte, or `Alphabet.none`.
    let digits: InlineArray<256, UInt8>

    /// The entry of `digits` for a byte outside the alphabet.
    static let none: UInt8 = 0xff

    /// Creates an alphabet of at most 64 ASCII symbols.
    ///
    /// - Parameters:
    ///   - text: The symbols, digit 0 first.
    ///   - ignoresCase: Whether a letter has the same digit in both cases.
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
