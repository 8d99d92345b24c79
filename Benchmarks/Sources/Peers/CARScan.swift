import CDigestPeer
import Glibc

/// The best form of go-car's way to read a CAR: a buffered reader, section by section.
///
/// go-car reads through a `bufio.Reader` of 4 KiB by default, and skips blocks that it does not need. It knows the
/// end of a block only from its section's head, so it reads one section at a time, on one thread. *Limits*: CARv1
/// with CIDs of version 1, raw, sha2-256, as the data sets have.
///
/// *Errors*: `CARScanError` of any code; the first stops the walk.
public enum CARScan {
    /// The buffer of Go's bufio, in bytes.
    public static let bufferSizeDefault = 4096

    /// Reads the head of every section, and makes the entries that peers ingest, in CAR order.
    public static func entries(
        of path: String,
        bufferSize: Int = bufferSizeDefault
    ) throws(CARScanError) -> [PeerEntry] {
        var reader = try SectionReader(path, bufferSize: bufferSize)
        var entries: [PeerEntry] = []
        while let section = try reader.next() {
            let entry = PeerEntry(
                digest: section.digest,
                offset: section.offset,
                size: UInt32(section.size)
            )
            entries.append(entry)
            try reader.skipBlock(of: section)
        }
        return entries
    }

    /// Reads the head of every section, and skips the block.
    ///
    /// - Returns: How many sections there are, and how many bytes their blocks have.
    public static func scan(
        path: String,
        bufferSize: Int = bufferSizeDefault
    ) throws(CARScanError) -> (sections: Int, bytes: Int) {
        var reader = try SectionReader(path, bufferSize: bufferSize)
        var sections = 0
        var bytes = 0
        while let section = try reader.next() {
            sections += 1
            bytes += section.size
            try reader.skipBlock(of: section)
        }
        return (sections, bytes)
    }

    /// Reads every block, hashes it with OpenSSL on this thread, and compares.
    ///
    /// The function is fetched and the context created once, because one-shot calls cost 25 % more on small blocks.
    ///
    /// - Returns: How many sections there are, and how many bytes their blocks have.
    public static func verify(
        path: String,
        bufferSize: Int = bufferSizeDefault
    ) throws(CARScanError) -> (sections: Int, bytes: Int) {
        var reader = try SectionReader(path, bufferSize: bufferSize)
        let hash = try SHA256()
        var sections = 0
        var bytes = 0
        while let section = try reader.next() {
            let block = try reader.block(of: section)
            guard try hash.digest(of: block, at: section.offset) == section.digest else {
                throw CARScanError(.corruptBlock, at: section.offset)
            }
            sections += 1
            bytes += section.size
        }
        return (sections, bytes)
    }
}

/// Why a CAR could not be read, and where.
public struct CARScanError: Error, Hashable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Hashable, Sendable {
        /// The file ends inside the header or a section.
        case truncated
        /// A varint is longer than nine bytes, or not minimal.
        case malformedVarint
        /// The header is not that of a CARv1.
        case notCARv1
        /// A CID is not of version 1, raw, with sha2-256.
        case unsupportedCID
        /// A header or section is larger than go-car allows.
        case tooLarge
        /// A block does not have the digest of its CID.
        case corruptBlock
        /// A system call failed with this `errno`.
        case system(Int32)
        /// OpenSSL refused.
        case openSSL
    }

    /// The kind of error.
    public let code: Code

    /// Where the bad header or section starts, in bytes.
    public let offset: UInt64

    /// Makes an error of its parts.
    public init(_ code: Code, at offset: UInt64) {
        self.code = code
        self.offset = offset
    }

    /// "corruptBlock at 59".
    public var description: String {
        guard case .system(let number) = code else { return "\(code) at \(offset)" }
        let text = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return "\(text) at \(offset)"
    }
}

/// A context of OpenSSL's SHA-256 that is used again and again.
private struct SHA256: ~Copyable {
    private let function: OpaquePointer
    private let context: OpaquePointer

    init() throws(CARScanError) {
        guard let function = EVP_MD_fetch(nil, "SHA256", nil) else {
            throw CARScanError(.openSSL, at: 0)
        }
        let made = EVP_MD_CTX_new()
        guard let context = made, EVP_DigestInit_ex2(context, function, nil) == 1 else {
            EVP_MD_CTX_free(made)
            EVP_MD_free(function)
            throw CARScanError(.openSSL, at: 0)
        }
        self.function = function
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(function)
    }

    func digest(
        of block: UnsafeRawBufferPointer,
        at offset: UInt64
    ) throws(CARScanError) -> SectionReader.Digest {
        var digest: SectionReader.Digest = (0, 0, 0, 0)
        let isDone = withUnsafeMutableBytes(of: &digest) { digest in
            EVP_DigestInit_ex2(context, nil, nil) == 1
                && EVP_DigestUpdate(context, block.baseAddress, block.count) == 1
                && EVP_DigestFinal_ex(
                    context,
                    digest.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    nil
                ) == 1
        }
        guard isDone else { throw CARScanError(.openSSL, at: offset) }
        return digest
    }
}
