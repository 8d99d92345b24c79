import Foundation
import TestSupport
import Testing

@testable import DAGStorage

/// The page that says how to recover from each error has every code.
@Suite("The page of errors")
struct ErrorPageTests {
    /// A row of the table of codes.
    private struct Row {
        let name: String
        let number: Int32
        let failsShard: String
    }

    private static let page = PackageFolder.url.appending(
        path: "Sources/DAGStorage/DAGStorage.docc/Errors.md"
    )
    private static let header = PackageFolder.url.appending(
        path: "CModules/CDAGStore/include/dagstore.h"
    )
    /// The code that only the C interface has.
    private static let nameInC = "bufferTooSmall"

    private static func lines(of file: URL) throws -> [Substring] {
        try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The rows whose first cell links to the heading of its own code.
    private static func rows() throws -> [Row] {
        let form = #/\| \[(\w+)\]\(#(\w+)\) \| (-\d+) \| (\w+) \| .+ \|/#
        return try lines(of: page).compactMap { line in
            guard let row = line.wholeMatch(of: form), row.1 == row.2, let number = Int32(row.3)
            else { return nil }
            return Row(name: String(row.1), number: number, failsShard: String(row.4))
        }
    }

    /// The names of the headings over a paragraph.
    private static func headings() throws -> [String] {
        let lines = try lines(of: page)
        return lines.indices.compactMap { index in
            guard lines[index].hasPrefix("### ") else { return nil }
            let text = lines[(index + 1)...].first { !$0.isEmpty } ?? ""
            #expect(text.first?.isLetter == true || text.hasPrefix("``"), "\(lines[index])")
            return String(lines[index].dropFirst(4))
        }
    }

    @Test("has a row with the number of every code", arguments: DAGStoreError.Code.allCases)
    func number(code: DAGStoreError.Code) throws {
        let rows = try Self.rows().filter { $0.name == code.name }
        #expect(rows.map(\.number) == [code.rawValue])
    }

    @Test("says of every code whether it fails a shard", arguments: DAGStoreError.Code.allCases)
    func failure(code: DAGStoreError.Code) throws {
        let row = try #require(Self.rows().first { $0.name == code.name })
        #expect(["no", "indexing", "yes"].contains(row.failsShard))
        #expect((row.failsShard == "no") == !code.failsShard)
        if code.isAway { #expect(row.failsShard == "indexing") }
    }

    @Test("has a paragraph under the name of every code, in the order of the table")
    func paragraphs() throws {
        let names = try Self.rows().map(\.name)
        #expect(try Self.headings() == names)
        let known = DAGStoreError.Code.allCases.map(\.name) + [Self.nameInC]
        #expect(names.sorted() == known.sorted())
    }

    @Test("has the codes of the C header, in its order")
    func order() throws {
        let numbers = try Self.lines(of: Self.header).compactMap { line in
            line.firstMatch(of: #/^ +DAGSTORE_[A-Z_]+ = (-\d+)/#).flatMap { Int32($0.1) }
        }
        #expect(numbers.count > 30)
        #expect(try Self.rows().map(\.number) == numbers)
    }
}
