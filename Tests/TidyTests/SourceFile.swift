import Foundation
import TestSupport
import Testing

/// A Swift file of the package, as the rules read it.
struct SourceFile: CustomTestStringConvertible, Sendable {
    /// A function, an initializer or a subscript.
    struct Function: Sendable {
        /// Where its declaration starts, from 1.
        var line: Int
        /// The lines from there to its closing brace.
        var lineCount: Int
    }

    /// The path below `Sources` or `Tests`.
    let path: String
    /// The lines as they stand.
    let lines: [String]
    /// The lines with strings and comments blanked out.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        code = Self.withoutStringsAndComments(text)
            .split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    var testDescription: String { path }

    /// The first folder of the path.
    var target: String { String(path.prefix { $0 != "/" }) }

    // MARK: Files

    static func sources() throws -> [SourceFile] { try files(in: "Sources") }
    static func tests() throws -> [SourceFile] { try files(in: "Tests") }
    static func all() throws -> [SourceFile] { try sources() + tests() }

    /// The names of the folders in `Sources`.
    static func targets() throws -> [String] {
        try FileManager.default
            .contentsOfDirectory(atPath: PackageFolder.url.appending(path: "Sources").path)
            .filter { !$0.hasPrefix(".") }
    }

    private static func files(in folder: String) throws -> [SourceFile] {
        let root = PackageFolder.url.appending(path: folder).path
        let files = try #require(FileManager.default.enumerator(atPath: root))
        return try files.compactMap { $0 as? String }
            .filter { $0.hasSuffix(".swift") && !$0.contains("/.build") }
            .sorted()
            .map { path in
                let text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
                return SourceFile(path: path, text: text)
            }
    }

    /// The names at the package's top level: those that git tracks, or all but hidden folders without git.
    static func topLevel() throws -> Set<String> {
        if let tracked = try trackedFiles(), !tracked.isEmpty {
            return Set(tracked.map { String($0.prefix { $0 != "/" }) })
        }
        // Tools leave these behind, and git does not track them.
        let ignored = ["Package.resolved"]
        return Set(
            try FileManager.default.contentsOfDirectory(atPath: PackageFolder.url.path)
                .filter { !$0.hasPrefix(".build") && $0 != ".git" && $0 != ".swiftpm" }
                .filter { !ignored.contains($0) }
        )
    }

    private static func trackedFiles() throws -> [Substring]? {
        let git = URL(filePath: "/usr/bin/git")
        guard FileManager.default.isExecutableFile(atPath: git.path) else { return nil }
        let process = Process()
        let output = Pipe()
        process.executableURL = git
        process.arguments = ["-C", PackageFolder.url.path, "ls-files"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }

    // MARK: Contents

    /// The modules that the file imports.
    var imports: [String] {
        code.compactMap { line in
            let words = line.split(separator: " ")
            let attributes = words.prefix { $0 != "import" }
            guard attributes.count < words.count - 1,
                attributes.allSatisfy({ $0.hasPrefix("@") || Self.accessLevels.contains($0) })
            else { return nil }
            let rest = words.dropFirst(attributes.count + 1).drop { Self.importKinds.contains($0) }
            return rest.first.map { String($0.prefix { $0 != "." }) }
        }
    }

    private static let accessLevels: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let importKinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor",
    ]

    /// The functions that have a body.
    var functions: [Function] { bodies(of: Self.functionKeywords) }

    private static let functionKeywords = ["func", "init", "subscript", "deinit"]

    private func bodies(of keywords: [String]) -> [Function] {
        var found: [Function] = []
        for (number, line) in code.enumerated() {
            guard keywords.contains(where: { line.declares($0) }),
                let last = lastLineOfBody(from: number)
            else { continue }
            found.append(Function(line: number + 1, lineCount: last - number + 1))
        }
        return found
    }

    // MARK: Unsafe expressions

    /// Lines that say `unsafe` in one declaration, and close to each other.
    struct UnsafeGroup: Sendable, Equatable {
        /// The first and the last line, from 1.
        var lines: ClosedRange<Int>
        /// Whether a comment that begins with `SAFETY:` stands among the lines or just above them.
        var hasNote: Bool
    }

    /// How many lines may lie between two lines of a group, and between a note and its group.
    static let unsafeGapMax = 8

    /// The groups of lines that say `unsafe`.
    ///
    /// A group ends with its function or computed property. A note counts if it stands in the group, or at most
    /// eight lines above it: in the same declaration, or in the comments and attributes of that.
    var unsafeGroups: [UnsafeGroup] {
        // Of declarations that lie in each other, the outermost.
        var bodies: [ClosedRange<Int>] = []
        for body in self.bodies(of: Self.functionKeywords + ["var", "let"]) {
            let range = body.line...(body.line + body.lineCount - 1)
            if let last = bodies.last, last.upperBound >= range.upperBound { continue }
            bodies.append(range)
        }
        var groups: [(lines: ClosedRange<Int>, body: ClosedRange<Int>?)] = []
        // The attribute marks a declaration, whose documentation says what callers must keep.
        for (index, line) in code.enumerated()
        where line.hasWord("unsafe") && line.trimmingCharacters(in: .whitespaces) != "@unsafe" {
            let number = index + 1
            let body = bodies.first { $0.contains(number) }
            if let last = groups.last, last.body == body,
                number - last.lines.upperBound <= Self.unsafeGapMax + 1
            {
                groups[groups.count - 1].lines = last.lines.lowerBound...number
            } else {
                groups.append((number...number, body))
            }
        }
        return groups.map { group in
            let earliest = max(1, group.lines.lowerBound - Self.unsafeGapMax)
            let first = group.body.map { max(earliest, firstLineAbove($0.lowerBound)) } ?? earliest
            let hasNote = lines[(first - 1)..<group.lines.upperBound].contains {
                $0.contains("// SAFETY:")
            }
            return UnsafeGroup(lines: group.lines, hasNote: hasNote)
        }
    }

    /// The first of the comments and attributes that lead to a declaration.
    private func firstLineAbove(_ declaration: Int) -> Int {
        var first = declaration
        while first > 1 {
            let above = lines[first - 2].trimmingCharacters(in: .whitespaces)
            guard above.hasPrefix("//") || above.hasPrefix("@") else { break }
            first -= 1
        }
        return first
    }

    // MARK: Columns

    /// The columns that a line has without the words of its strings, and without a comment at its end.
    func codeWidth(ofLine number: Int) -> Int {
        let line = Array(lines[number - 1].utf8)
        let blanked = Array(code[number - 1].utf8)
        let blank = UInt8(ascii: " ")
        let end = blanked.lastIndex { $0 != blank }.map { $0 + 1 } ?? 0
        return (0..<end).count { blanked[$0] == line[$0] }
    }

    /// The line of the brace that closes the body which opens at `start` or soon after.
    private func lastLineOfBody(from start: Int) -> Int? {
        var depth = 0
        var isOpen = false
        var parentheses = 0
        for number in start..<code.count {
            for character in code[number] {
                switch character {
                case "(", "[": parentheses += 1
                case ")", "]": parentheses -= 1
                case "{" where parentheses == 0 || isOpen:
                    depth += 1
                    isOpen = true
                case "}" where parentheses == 0 || isOpen:
                    depth -= 1
                    // A requirement of a protocol, whose body is not there.
                    if depth < 0 { return nil }
                    if isOpen, depth == 0 { return number }
                default: break
                }
            }
            // Another declaration before any brace: this one had no body.
            let next = number + 1
            guard !isOpen, parentheses == 0, next < code.count else { continue }
            let isContinued =
                code[next].trimmingCharacters(in: .whitespaces).hasPrefix("{")
                || ["where", "->", "throws", "async"].contains {
                    code[next].trimmingCharacters(in: .whitespaces).hasPrefix($0)
                }
            guard isContinued else { return nil }
        }
        return nil
    }

    // MARK: Blanking

    private enum State {
        case code, lineComment
        case blockComment(depth: Int)
        case string(pounds: Int, isMultiline: Bool)
    }

    /// `text` with every character of strings and comments replaced by a blank; lines stay.
    private static func withoutStringsAndComments(_ text: String) -> String {
        let input = Array(text.utf8)
        var output = input
        var state = State.code
        var index = 0
        func has(_ part: String, at start: Int) -> Bool {
            start + part.utf8.count <= input.count
                && input[start..<start + part.utf8.count].elementsEqual(part.utf8)
        }
        func blank(_ count: Int) {
            for position in index..<min(index + count, input.count)
            where input[position] != UInt8(ascii: "\n") {
                output[position] = UInt8(ascii: " ")
            }
            index += count
        }
        while index < input.count {
            switch state {
            case .code:
                state = Self.opening(at: index, has: has)
                switch state {
                case .code: index += 1
                case .lineComment, .blockComment: blank(2)
                case .string(let pounds, let isMultiline): blank(pounds + (isMultiline ? 3 : 1))
                }
            case .lineComment:
                if input[index] == UInt8(ascii: "\n") { state = .code }
                blank(1)
            case .blockComment(let depth):
                if has("*/", at: index) {
                    state = depth == 1 ? .code : .blockComment(depth: depth - 1)
                    blank(2)
                } else if has("/*", at: index) {
                    state = .blockComment(depth: depth + 1)
                    blank(2)
                } else {
                    blank(1)
                }
            case .string(let pounds, let isMultiline):
                let quote = isMultiline ? "\"\"\"" : "\""
                let end = quote + String(repeating: "#", count: pounds)
                if pounds == 0, has("\\", at: index) {
                    blank(2)
                } else if has(end, at: index) {
                    blank(end.utf8.count)
                    state = .code
                } else {
                    blank(1)
                }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The state after the characters at `index` of code.
    private static func opening(at index: Int, has: (String, Int) -> Bool) -> State {
        if has("//", index) { return .lineComment }
        if has("/*", index) { return .blockComment(depth: 1) }
        var pounds = 0
        while has("#", index + pounds) { pounds += 1 }
        guard has("\"", index + pounds) else { return .code }
        return .string(pounds: pounds, isMultiline: has("\"\"\"", index + pounds))
    }
}

extension String {
    /// Whether `word` stands here by itself.
    func hasWord(_ word: String) -> Bool {
        func isPart(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "_"
        }
        var rest = self[...]
        while let range = rest.range(of: word) {
            let before =
                range.lowerBound == startIndex ? nil : self[index(before: range.lowerBound)]
            let after = range.upperBound == endIndex ? nil : self[range.upperBound]
            if before.map(isPart) != true, after.map(isPart) != true { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    /// Whether a declaration with this keyword begins on this line.
    fileprivate func declares(_ keyword: String) -> Bool {
        guard hasWord(keyword), let range = range(of: keyword) else { return false }
        // Only attributes and modifiers may stand before it, with or without arguments; not `self.` or `=`.
        return self[..<range.lowerBound].allSatisfy {
            $0.isLetter || $0 == " " || $0 == "@" || $0 == "_" || $0 == "(" || $0 == ")"
        } && (keyword != "init" || !self[..<range.lowerBound].contains("return"))
    }
}
