import DAGBytes
import DAGHashing
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

    static let multihashCases = root.appending(
        path: "public-repos/multihash/tests/values/test_cases.csv"
    )

    static func exist(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}

/// multiformats/multihash, tests/values/test_cases.csv.
@Suite("Multihash vectors", .enabled(if: PublicVectors.exist(PublicVectors.multihashCases)))
struct MultihashVectorTests {
    /// One line: `algorithm,bits,input,multihash`; the multihash is hexadecimal, the input is text.
    struct Line {
        let input: [UInt8]
        let multihash: Multihash

        init(_ text: Substring) throws {
            let columns = text.split(separator: ",", omittingEmptySubsequences: false)
            try #require(columns.count == 4)
            input = Array(columns[2].utf8)
            multihash = try Multihash(bytes: #require(bytes(hexadecimal: columns[3])))
            #expect(multihash.digestSize * 8 == Int(columns[1]))
        }
    }

    @Test("every digest matches its input and no other")
    func everyLine() throws {
        let text = try String(contentsOf: PublicVectors.multihashCases, encoding: .utf8)
        var checkedCount = 0
        for lineText in text.split(whereSeparator: \.isNewline).dropFirst() {
            let line = try Line(lineText)
            guard BlockHash.isSupported(line.multihash.code) else { continue }
            checkedCount += 1
            line.multihash.digest.withView { digest in
                let outcomes = [line.input, line.input + [0]].map { data in
                    data.withView {
                        BlockHash.check(
                            code: line.multihash.code,
                            digest: digest,
                            data: $0,
                            minimumDigestSize: 0
                        )
                    }
                }
                #expect(outcomes == [.matches, .differs], "\(lineText)")
            }
        }
        // All of the file's functions are supported.
        #expect(checkedCount == 260)
    }
}
