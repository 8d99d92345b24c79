/// The value of a `Content-Disposition` field: an attachment with a file name.
enum ContentDisposition {
    /// The longest file name, in bytes of UTF-8.
    static let nameSizeMax = 200

    /// Returns the value for a name of a server's own making.
    static func attachment(_ name: String) -> String { "attachment; filename=\"\(name)\"" }

    /// Returns the value for a name that a client asked for.
    ///
    /// Separators of paths, quotation marks and control characters become `_`; leading dots go. A name that is not
    /// ASCII comes twice: once with `_`, and once as RFC 6266 has it.
    ///
    /// - Returns: The value; nil if nothing is left of the name.
    static func attachment(asked name: String) -> String? {
        var clean = String.UnicodeScalarView()
        var size = 0
        for scalar in name.unicodeScalars {
            let isLeadingDot = clean.isEmpty && scalar == "."
            guard !isLeadingDot else { continue }
            let kept = isHarmful(scalar) ? "_" : scalar
            size += UTF8.width(kept)
            guard size <= nameSizeMax else { break }
            clean.append(kept)
        }
        guard !clean.isEmpty else { return nil }
        guard clean.contains(where: { !$0.isASCII }) else { return attachment(String(clean)) }
        let ascii = String(
            String.UnicodeScalarView(clean.map { $0.isASCII ? $0 : "_" })
        )
        return attachment(ascii) + "; filename*=UTF-8''"
            + PercentCoding.encoded(String(clean), keeping: PercentCoding.isUnreserved)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", "\\", "\"", ":", "*", "?", "<", ">", "|", "%": true
        default:
            switch scalar.properties.generalCategory {
            // Line ends, and characters that reverse the direction of text.
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
            default: false
            }
        }
    }
}
