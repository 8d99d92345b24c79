package import Foundation

/// The package's own folder, found through the place of this file.
package enum PackageFolder {
    /// The folder that holds `Package.swift`; links are resolved.
    package static let url: URL = {
        var url = URL(filePath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()

    /// The test fixtures that the package ships.
    package static var fixtures: URL { url.appending(path: "Tests/Fixtures") }

    /// What the fuzzers start from, and what they have found.
    package static var fuzzCorpus: URL { url.appending(path: "Tests/Fuzz/corpus") }
}

extension URL {
    /// The file's bytes.
    package func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: self)) }

    /// The files directly in this folder, by name.
    package func files() throws -> [URL] {
        try FileManager.default
            .contentsOfDirectory(at: self, includingPropertiesForKeys: [.isRegularFileKey])
            .filter { try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
