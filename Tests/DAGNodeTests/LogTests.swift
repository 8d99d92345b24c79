#if Node
    import Foundation
    import Logging
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGNode

    @Suite("Node logs")
    struct LogTests {
        private static let time = Date(timeIntervalSince1970: 1_700_000_000.125)

        private func line(
            _ format: NodeLogHandler.Format,
            _ message: String,
            _ metadata: [(String, String)] = []
        ) -> String {
            let bytes = NodeLogHandler.line(format, Self.time, .info, "part", message, metadata)
            return String(decoding: bytes, as: UTF8.self)
        }

        @Test("a text line has time, level, part, message and values")
        func text() {
            #expect(
                line(
                    .text,
                    "says it",
                    [("a", "1"), ("b", "two words"), ("c", ""), ("d", "x\"\\y")]
                )
                    == "2023-11-14T22:13:20.125Z info part: says it a=1 b=\"two words\" c=\"\" "
                    + "d=\"x\\\"\\\\y\"\n"
            )
        }

        @Test("a JSON line is one object, in which no key of the metadata hides one of the line")
        func json() throws {
            let text = line(
                .json,
                "m\"\\\n\u{1b}\u{9b}\u{202e}\u{e0001}é",
                [("a", "1"), ("level", "x")]
            )
            #expect(text.hasSuffix("}\n") && text.dropLast().allSatisfy { !$0.isNewline })
            let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
            #expect(
                object == [
                    "time": "2023-11-14T22:13:20.125Z", "level": "info", "logger": "part",
                    "message": "m\"\\\n\u{1b}\u{9b}\u{202e}\u{e0001}é", "a": "1", "_level": "x",
                ]
            )
        }

        @Test(
            "a terminal obeys nothing in a line",
            arguments: [NodeLogHandler.Format.text, .json],
            [
                "\n", "\r", "\t", "\0", "\u{1b}[2J", "\u{7f}", "\u{9b}", "\u{2028}", "\u{202e}",
                "\u{feff}",
            ]
        )
        func controls(format: NodeLogHandler.Format, text: String) {
            let line = line(format, text, [(text, text)])
            let first = text.unicodeScalars[text.unicodeScalars.startIndex]
            #expect(!line.dropLast().unicodeScalars.contains(first))
            #expect(line.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        }

        @Test("a logger writes lines of its level and above, with all metadata")
        func levels() throws {
            let file = try LogFile()
            let writer = LogWriter(to: file.descriptor) { _ in [] }
            var logger = Logger(label: "part") { label in
                NodeLogHandler(
                    label: label,
                    level: LogLevel(.notice),
                    format: .text,
                    writer: writer
                )
            }
            logger[metadataKey: "request"] = "7"
            logger.info("quiet")
            logger.notice("loud", metadata: ["b": "2"])
            writer.close()
            let lines = try file.lines()
            #expect(lines.count == 1)
            #expect(lines.first?.hasSuffix(" notice part: loud b=2 request=7") == true)
        }

        @Test("lines of many threads stay whole")
        func threads() async throws {
            let file = try LogFile()
            let writer = LogWriter(to: file.descriptor) { _ in [] }
            await withTaskGroup { group in
                for number in 0..<8 {
                    group.addTask {
                        for count in 0..<100 {
                            writer.write(Array("\(number) \(count) end\n".utf8))
                        }
                    }
                }
            }
            writer.close()
            let expected = (0..<8).flatMap { number in (0..<100).map { "\(number) \($0) end" } }
            #expect(try file.lines().sorted() == expected.sorted())
        }

        @Test("a reader that stands still costs lines, and a later line says how many")
        func slowReader() throws {
            let (readEnd, writeEnd) = try FileDescriptor.pipe()
            let writer = LogWriter(to: writeEnd) { Array("dropped \($0)\n".utf8) }
            // More than the pipe and the buffer hold.
            let size = 1 << 16
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: size - 1) + [UInt8(ascii: "\n")]
            let count = 3 * LogWriter.bufferSize / size
            for _ in 0..<count { writer.write(line) }
            // The writer may note some drops before the last line came, and the others later.
            var (whole, dropped) = (0, 0)
            var lines = LineReader(readEnd)
            while whole + dropped < count, let line = lines.next() {
                if line.hasPrefix("x") {
                    whole += 1
                } else {
                    dropped += try #require(Int(line.dropFirst("dropped ".count)))
                }
            }
            writer.close()
            try writeEnd.close()
            #expect(dropped > 0)
            #expect(whole + dropped == count)
            try readEnd.close()
        }
    }

    /// A file that receives a log.
    private final class LogFile {
        private let folder: TemporaryFolder
        let descriptor: FileDescriptor

        init() throws {
            folder = try TemporaryFolder()
            descriptor = try FileDescriptor.open(
                FilePath(folder.path(of: "log")),
                .readWrite,
                options: .create,
                permissions: .ownerReadWrite
            )
        }

        deinit { try? descriptor.close() }

        func lines() throws -> [String] {
            let bytes = try URL(filePath: folder.path(of: "log")).bytes()
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// The lines of a pipe, as they come.
    private struct LineReader {
        private let handle: FileHandle
        private var text: Substring = ""

        init(_ pipe: FileDescriptor) { handle = FileHandle(fileDescriptor: pipe.rawValue) }

        /// Returns the next whole line; nil at the end.
        mutating func next() -> Substring? {
            while true {
                if let end = text.firstIndex(of: "\n") {
                    defer { text = text[text.index(after: end)...] }
                    return text[..<end]
                }
                let part = handle.availableData
                guard !part.isEmpty else { return nil }
                text += String(decoding: part, as: UTF8.self)
            }
        }
    }
#endif
