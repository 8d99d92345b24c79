import DAGBytes
import DAGCAR
import Foundation
import FuzzChecks
import TestSupport
import Testing

/// One case of `Tests/Fixtures/malformed`: bytes that a reader must refuse, and how.
///
/// ```
/// a name
/// 0a ff*4 "text"      bytes: hexadecimal, repeated, or as text
/// ----
/// code @offset
/// ```
///
/// Cases are apart by an empty line; a line that begins with `#` is a comment.
struct MalformedCase: CustomTestStringConvertible, Sendable {
    var file: String
    var name: String
    var bytes: [UInt8]
    var code: String
    var offset: UInt64

    var testDescription: String { "\(file): \(name)" }

    /// Why a fixture cannot be used.
    struct Defect: Error, CustomStringConvertible {
        var description: String
    }

    /// Every case of every file.
    static func all() throws -> [MalformedCase] {
        try PackageFolder.fixtures.appending(path: "malformed").files().flatMap { url in
            let lines = try String(contentsOf: url, encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false)
                .filter { !$0.hasPrefix("#") }
            return try lines.split(whereSeparator: \.isEmpty).map {
                try MalformedCase(Array($0), file: url.deletingPathExtension().lastPathComponent)
            }
        }
    }

    private init(_ lines: [Substring], file: String) throws {
        guard lines.count >= 3, lines[lines.count - 2] == "----" else {
            throw Defect(description: "\(file): no dashes in \(lines)")
        }
        let expectation = lines[lines.count - 1].split(separator: " @")
        guard expectation.count == 2, let offset = UInt64(expectation[1]) else {
            throw Defect(description: "\(file): no code and offset in \(lines)")
        }
        self.file = file
        name = String(lines[0])
        bytes = try lines[1..<lines.count - 2].flatMap(Self.bytes)
        code = String(expectation[0])
        self.offset = offset
    }

    private static func bytes(of line: Substring) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, part) in line.split(separator: "\"", omittingEmptySubsequences: false)
            .enumerated()
        {
            // Every second part is between quotes.
            guard number % 2 == 0 else {
                bytes += part.utf8
                continue
            }
            for token in part.split(separator: " ") {
                let parts = token.split(separator: "*")
                guard let unit = [UInt8](hexadecimal: parts[0]),
                    let count = parts.count == 1 ? 1 : Int(parts[1])
                else { throw Defect(description: "no bytes: \(token)") }
                for _ in 0..<count { bytes += unit }
            }
        }
        return bytes
    }
}

@Suite("Malformed bytes")
struct MalformedTests {
    @Test("there are as many cases as there should be")
    func count() throws {
        #expect(try MalformedCase.all().count >= 150)
    }

    @Test("malformed bytes are refused at their offset", arguments: try MalformedCase.all())
    func refuses(malformed: MalformedCase) throws {
        let errors: [CARError?]
        switch malformed.file {
        case "headers": errors = [try Self.error { _ = try CARHeader(bytes: malformed.bytes) }]
        case "version-two": errors = [try Self.error { _ = try CARLayout(bytes: malformed.bytes) }]
        case "indexes":
            errors = [
                try Self.error {
                    _ = try CARIndexTests.withIndex(malformed.bytes) { $0.codec }
                }
            ]
        case "sections": errors = try Self.scans(malformed.bytes, CARLimits())
        case "null-padding":
            errors = try Self.scans(malformed.bytes, CARLimits(nullPadding: .refused))
        default: errors = []
        }
        #expect(!errors.isEmpty, "nobody reads \(malformed.file)")
        for error in errors {
            #expect(
                error?.code.description == malformed.code,
                "\(error?.description ?? "no error")"
            )
            #expect(error?.offset == malformed.offset, "\(error?.description ?? "no error")")
        }
    }

    private static func error(_ body: () throws -> Void) throws -> CARError? {
        do {
            try body()
            return nil
        } catch let error as CARError {
            return error
        }
    }

    /// Returns the errors of scans through windows of several sizes.
    private static func scans(_ bytes: [UInt8], _ limits: CARLimits) throws -> [CARError?] {
        try [nil, 1, 2, 19, 64].map {
            try SectionScannerTests.scan(bytes, limits: limits, windowSize: $0).error
        }
    }
}
