internal import DAGBytes

/// Other formats that users mistake for a CAR, recognized by their first bytes.
///
/// Only for files that are not a CAR, because some CARs begin with the same bytes.
enum ForeignFormat {
    /// The number of bytes that identify every format.
    static let headSize = 512

    private static let compressions: [(name: String, magic: [UInt8])] = [
        ("zstd", [0x28, 0xb5, 0x2f, 0xfd]), ("gzip", [0x1f, 0x8b]), ("bzip2", Array("BZh".utf8)),
        ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), ("lz4", [0x04, 0x22, 0x4d, 0x18]),
    ]

    /// Returns a sentence that names the format and the next step.
    ///
    /// - Parameter head: The first `headSize` bytes of the file, or all of them.
    /// - Returns: A sentence for people; nil for all other files.
    static func explanation(of head: ByteView) -> String? {
        guard !head.isEmpty else { return "the file is empty" }
        if let (name, _) = compressions.first(where: { head.hasPrefix($0.magic) }) {
            return "this is a \(name)-compressed file: decompress it first"
        }
        if head.hasPrefix(Array("PK\u{3}\u{4}".utf8)) {
            return "this is a zip archive: extract the CAR from it first"
        }
        if head.count >= 262, head[257..<262].copied == Array("ustar".utf8) {
            return "this is a tar archive: extract the CAR from it first"
        }
        if head.hasPrefix([0x80, 0x08]) || head.hasPrefix([0x81, 0x08]) {
            return "this is an index of a CAR: the blocks are in the CAR itself"
        }
        guard head.count < 64 || head.firstNonzero != nil else {
            return "the file begins with zeros: it was allocated and not written"
        }
        return explanation(ofText: head)
    }

    private static func explanation(ofText head: ByteView) -> String? {
        if head.hasPrefix(Array("version https://git-lfs.".utf8)) {
            return "this is a Git LFS pointer: fetch the file itself with 'git lfs pull'"
        }
        let text = head.copied.drop { [0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf].contains($0) }
        let isText = text.allSatisfy { $0 >= 0x20 || [0x09, 0x0a, 0x0d].contains($0) }
        guard isText, let first = text.first else { return nil }
        let start = text.prefix(14).map { $0 | ($0 >= 0x41 && $0 <= 0x5a ? 0x20 : 0) }
        switch first {
        case UInt8(ascii: "<"):
            guard start.starts(with: "<!doctype html".utf8) || start.starts(with: "<html".utf8)
            else { return "this is XML, not a CAR: look at what the server sent" }
            return "this is an HTML page, not a CAR: look at what the server sent"
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return "this is JSON, not a CAR: look at what the server sent"
        default: return nil
        }
    }
}

extension ByteView {
    /// Returns whether the view begins with `bytes`.
    fileprivate func hasPrefix(_ bytes: [UInt8]) -> Bool {
        count >= bytes.count && self[0..<bytes.count].copied == bytes
    }
}
