internal import DAGBytes

extension CID {
    /// The largest binary CID that `text(in:)` writes in a positional base, in bytes.
    ///
    /// Writing in bases 36 and 58 costs O(n^2). Only identity CIDs are larger.
    public static let positionalSizeMax = 8192

    /// Reads the text of a CID.
    ///
    /// ```
    /// version 0   base58btc without a prefix: Qm…, 46 bytes
    /// version 1   a multibase prefix, and the text of the binary CID: see `Multibase`
    /// ```
    ///
    /// A path such as `/ipfs/…` is not a CID.
    ///
    /// - Throws: `.truncated` if the text is empty or cuts the CID short; `.limitExceeded` if it is longer than
    ///   `textSizeMax`; `.unsupportedBase` at a prefix that is no `Multibase`; `.malformedText` at a byte outside the
    ///   base's alphabet or at leftover bits that are not zero; `.malformedCID` if bytes are left over or a version 0
    ///   has a prefix; `.malformedVarint` and `.unsupportedVersion`. An error in the binary CID has the offset of the
    ///   text after the prefix.
    ///
    /// *Cost*: O(n), or O(n^2) in base 36 and base 58; reads at most `textSizeMax` bytes.
    public init(_ text: String) throws(MultiformatsError) {
        let text = text.utf8Span.span
        guard text.count <= CID.textSizeMax else { throw MultiformatsError(.limitExceeded, at: 0) }
        guard text.count > 0 else { throw MultiformatsError(.truncated, at: 0) }
        if text.count == 46, text[0] == UInt8(ascii: "Q"), text[1] == UInt8(ascii: "m") {
            try self.init(versionZero: Base58BTC.decode(text, from: 0))
            return
        }
        guard let base = Multibase(prefix: text[0]) else {
            throw MultiformatsError(.unsupportedBase, at: 0)
        }
        let bytes = try base.decode(text, from: 1)
        do {
            try self.init(bytes: bytes)
        } catch {
            throw MultiformatsError(error.code, at: 1)
        }
        guard version != 0 else { throw MultiformatsError(.malformedCID, at: 1) }
    }

    private init(versionZero bytes: [UInt8]) throws(MultiformatsError) {
        let layout = CIDLayout.versionZero
        // Some texts of this shape are not SHA-256 multihashes: the first and the last `Qm…`, for example.
        guard bytes.count == layout.size, bytes[0] == 0x12, bytes[1] == 0x20 else {
            throw MultiformatsError(.malformedCID, at: 0)
        }
        self.init(bytes: bytes, layout: layout)
    }

    /// The canonical text: base58btc for version 0, `b` + lower-case base32 for version 1.
    ///
    /// *Cost*: O(n).
    public var description: String {
        bytes.withView { view in
            version == 0
                ? Base58BTC.text(of: view, prefix: nil)
                : Multibase.base32.text(of: view)
        }
    }

    /// Returns the text in `base`.
    ///
    /// A version 0 CID has only its canonical text, whatever `base` says.
    ///
    /// - Throws: `.limitExceeded` if `base` is positional and the CID is larger than `positionalSizeMax`.
    ///
    /// *Cost*: O(n), or O(n^2) if `base` is positional.
    public func text(in base: Multibase) throws(MultiformatsError) -> String {
        guard version != 0 else { return description }
        guard !base.isPositional || bytes.count <= CID.positionalSizeMax else {
            throw MultiformatsError(.limitExceeded, at: 0)
        }
        return bytes.withView { base.text(of: $0) }
    }
}

extension Multihash {
    /// The whole binary multihash in lower-case hexadecimal.
    public var hexadecimal: String {
        bytes.withView { $0.hexadecimal }
    }
}
