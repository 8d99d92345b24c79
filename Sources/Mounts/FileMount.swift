public import SystemPackage

/// A CAR file of this machine.
///
/// Its URL is `file://` and the path, with every byte other than letters, digits and `-._~/` as `%XX`: an
/// absolute path gives `file:///srv/a.car`, a relative one `file://cars/a.car`. Whatever was
/// registered under a relative path is found relative to the working directory of whoever opens it;
/// `dagstore register` makes paths absolute.
public struct FileMount: Equatable, Sendable {
    /// The URL scheme.
    public static let scheme = "file"

    /// Where the file is.
    public let path: FilePath

    /// A mount of the file at `path`; it need not be there yet.
    public init(_ path: FilePath) { self.path = path }

    /// The mount that `url` names.
    ///
    /// - Throws: `.unknownScheme`, `.malformedURL`.
    package init(url: String) throws(MountError) {
        guard let separator = url.utf8.firstRange(of: "://".utf8) else {
            throw MountError(.malformedURL, "\(url): not a mount URL")
        }
        let scheme = url[..<separator.lowerBound]
        guard scheme == Self.scheme else {
            throw MountError(.unknownScheme, "unknown mount scheme \(scheme)")
        }
        var bytes: [UInt8] = []
        var rest = url.utf8[separator.upperBound...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexadecimal),
                let low = rest.popFirst().flatMap(Self.hexadecimal)
            else { throw MountError(.malformedURL, "\(url): a % without two digits") }
            bytes.append(high << 4 | low)
        }
        guard !bytes.isEmpty, !bytes.contains(0) else {
            throw MountError(.malformedURL, "\(url): not a path")
        }
        let characters = bytes.map { CInterop.PlatformChar(bitPattern: $0) } + [0]
        // SAFETY: the array ends with a zero and is read during the call.
        self.path = unsafe characters.withUnsafeBufferPointer { buffer in
            unsafe FilePath(platformString: buffer.baseAddress.unsafelyUnwrapped)
        }
    }

    /// The URL that is stored, enough to make the mount again.
    public var url: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes = Array("\(Self.scheme)://".utf8)
        // SAFETY: the string is read during the call, up to its zero.
        let name = unsafe path.withPlatformString { start in
            var name: [UInt8] = []
            var next = unsafe start
            while unsafe next.pointee != 0 {
                unsafe name.append(UInt8(bitPattern: next.pointee))
                unsafe next += 1
            }
            return name
        }
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
