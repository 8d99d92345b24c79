package import Foundation

/// Test vectors that other implementations wrote, where there are any.
///
/// They are no part of the package. `DAGSTORE_VECTORS` names their folder; without it they are looked
/// for in `../shared/vectors`, from the package's folder.
package enum Vectors {
    /// The folder, or nil if there is none.
    package static let folder: URL? = {
        let url =
            ProcessInfo.processInfo.environment["DAGSTORE_VECTORS"].map { URL(filePath: $0) }
            ?? PackageFolder.url.appending(path: "../shared/vectors").standardizedFileURL
        let values = try? url.resourceValues(forKeys: [.isDirectoryKey])
        return values?.isDirectory == true ? url : nil
    }()

    /// Whether there are any; a suite that needs them is skipped where there are none.
    package static var areHere: Bool { folder != nil }

    /// Vectors from public projects.
    package static let publicVectors: [PublicVector] = {
        guard let folder else { return [] }
        let manifest: PublicManifest = decode(folder.appending(path: "public-repos/MANIFEST.json"))
        return manifest.vectors
    }()

    /// The sections of the CARs among them.
    package static let publicSections: [PublicSections] = {
        guard let folder else { return [] }
        let lines = read(folder.appending(path: "public-repos/SECTIONS.jsonl"))
        return lines.split(separator: UInt8(ascii: "\n")).map { decode(Data($0)) }
    }()

    /// CARs that the reference implementation wrote, and what it found in them.
    package static let reference: [ReferenceCAR] = {
        guard let folder else { return [] }
        let manifest: ReferenceManifest = decode(
            folder.appending(path: "go-dagstore/manifest.json")
        )
        return manifest.cars
    }()

    /// The file at `path` in the folder.
    package static func url(_ path: String) -> URL {
        guard let folder else { preconditionFailure("there are no vectors") }
        return folder.appending(path: path)
    }

    private static func decode<T: Decodable>(_ url: URL) -> T { decode(read(url)) }

    private static func decode<T: Decodable>(_ data: Data) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: data)
        } catch {
            preconditionFailure("a manifest of the vectors: \(error)")
        }
    }

    private static func read(_ url: URL) -> Data {
        do {
            return try Data(contentsOf: url)
        } catch {
            preconditionFailure("a manifest of the vectors: \(error)")
        }
    }
}
