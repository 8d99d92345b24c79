internal import DAGSystem
package import SystemPackage

/// A file of profiles, such as `~/.aws/credentials`.
///
/// *Shape*: sections `[name]` with lines `key = value`; lines that begin with `#` or `;` are comments. Indented lines
/// belong to the value before them and are skipped. At most `sizeMax` bytes.
package struct ProfileFile: Sendable {
    /// The largest file, in bytes.
    static let sizeMax = 1 << 20

    private let sections: [String: [String: String]]

    /// Parses a file's text.
    package init(text: String) {
        var sections: [String: [String: String]] = [:]
        var name: String?
        let lines = Array(text.utf8).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })
        for line in lines {
            guard let first = line.first, first != 0x20, first != 0x09,
                !"#;".utf8.contains(first)
            else { continue }
            if first == UInt8(ascii: "[") {
                name = Self.trimmed(line.dropFirst().prefix { $0 != UInt8(ascii: "]") })
                continue
            }
            guard let name, let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = Self.trimmed(line[..<equals]).lowercased()
            sections[name, default: [:]][key] = Self.trimmed(line[(equals + 1)...])
        }
        self.sections = sections
    }

    /// Reads a file; nil if there is none.
    ///
    /// - Throws: `.noCredentials` if it cannot be read or is too large.
    package init?(at path: FilePath) throws(ObjectStorageError) {
        let bytes: [UInt8]
        do {
            bytes = try Self.bytes(at: path)
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw ObjectStorageError(.noCredentials, "sign: cannot read \(path): \(error)")
        }
        self.init(text: String(decoding: bytes, as: UTF8.self))
    }

    private static func bytes(at path: FilePath) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor.opening(path)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: sizeMax + 1)
        let count = try file.read(at: 0, into: &bytes, 0..<bytes.count)
        guard count <= sizeMax else { throw .fileTooLarge }
        return Array(bytes[..<count])
    }

    /// Returns a value of a profile; nil if there is none.
    ///
    /// The files of settings, unlike those of credentials, name a section `profile NAME`.
    package func value(_ key: String, ofProfile name: String) -> String? {
        let value = sections[name]?[key] ?? sections["profile \(name)"]?[key]
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The credentials of a profile in a file.
package struct ProfileCredentials: S3CredentialsSource {
    private let path: FilePath
    private let profile: String

    /// Creates a source.
    package init(_ path: FilePath, profile: String) {
        self.path = path
        self.profile = profile
    }

    /// Reads the file, so that a file that another program rewrites is seen.
    ///
    /// - Returns: The credentials; nil without a file, or without a key in the profile.
    /// - Throws: `.noCredentials` if the key has no secret.
    package func credentials() async throws -> S3Credentials? {
        guard let file = try ProfileFile(at: path),
            let key = file.value("aws_access_key_id", ofProfile: profile)
        else { return nil }
        guard let secret = file.value("aws_secret_access_key", ofProfile: profile) else {
            throw ObjectStorageError(
                .noCredentials,
                "sign: \(path): the profile \(profile) has a key without aws_secret_access_key"
            )
        }
        return S3Credentials(
            accessKey: key,
            secretKey: secret,
            sessionToken: file.value("aws_session_token", ofProfile: profile)
        )
    }
}
