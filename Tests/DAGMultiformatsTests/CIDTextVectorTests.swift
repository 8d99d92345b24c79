import DAGMultiformats
import Foundation
import Testing

/// The test vectors of other projects, which do not come with this one.
private enum PublicVectors {
    static let root: URL = {
        if let path = ProcessInfo.processInfo.environment["DAGSTORE_VECTORS"] {
            return URL(filePath: path, directoryHint: .isDirectory)
        }
        let packageRoot = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return packageRoot.appending(path: "../shared/vectors", directoryHint: .isDirectory)
    }()

    static let manifest = root.appending(path: "go-dagstore/manifest.json")
    static let codecFixtures = root.appending(path: "public-repos/codec-fixtures/fixtures")

    static func exist(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}

@Suite("CID text vectors")
struct CIDTextVectorTests {
    /// The strings that `key` names anywhere in `json`, alone or in an array.
    private func strings(of key: String, in json: Any) -> [String] {
        switch json {
        case let object as [String: Any]:
            object.flatMap { name, value in
                if name == key, let text = value as? String { return [text] }
                if name == key, let texts = value as? [String] { return texts }
                return strings(of: key, in: value)
            }
        case let array as [Any]: array.flatMap { strings(of: key, in: $0) }
        default: []
        }
    }

    @Test(
        "every CID that the Go store printed is read and printed the same",
        .enabled(if: PublicVectors.exist(PublicVectors.manifest))
    )
    func goDagstore() throws {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: PublicVectors.manifest))
        let texts = Set(["cid", "roots", "commp"].flatMap { strings(of: $0, in: json) })
        #expect(texts.count > 500)
        for text in texts {
            #expect(try CID(text).description == text)
        }
    }

    @Test(
        "every multihash that the Go store printed is its CID's in hexadecimal",
        .enabled(if: PublicVectors.exist(PublicVectors.manifest))
    )
    func goDagstoreMultihashes() throws {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: PublicVectors.manifest))
        let cars = try #require((json as? [String: Any])?["cars"] as? [[String: Any]])
        var blockCount = 0
        for block in cars.flatMap({ $0["blocks"] as? [[String: Any]] ?? [] }) {
            let cid = try CID(#require(block["cid"] as? String))
            #expect(cid.multihash.hexadecimal == block["multihash"] as? String)
            blockCount += 1
        }
        #expect(blockCount > 600)
    }

    // A fixture's name is the text of the CID in it; some are in base58btc, with a prefix or
    // without.
    @Test(
        "the CIDs that name codec fixtures survive the round trip",
        .enabled(if: PublicVectors.exist(PublicVectors.codecFixtures))
    )
    func codecFixtures() throws {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: PublicVectors.codecFixtures.path
        )
        // Two more, cid-arrayof and cid-mapof, are named for their shape.
        let texts = names.filter { $0.hasPrefix("cid-") && !$0.contains("of") }.map {
            $0.dropFirst(4)
        }
        #expect(texts.count >= 10)
        for text in texts.map(String.init) {
            let cid = try CID(text)
            let base = text.utf8.first.flatMap(Multibase.init(prefix:)) ?? .base58btc
            #expect(try cid.text(in: base) == text)
            #expect(try CID(cid.description) == cid)
        }
    }
}
