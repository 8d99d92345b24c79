import AdminMessages
import TestSupport
import Testing

@Suite("Frames of a verb's output")
struct OutputFrameTests {
    static let frames: [OutputFrame] = [
        .output([]), .output([1, 2, 3]), .error(Array("text\n".utf8)),
        .output([UInt8](repeating: 7, count: OutputFrame.sizeMax)), .end(0),
    ]

    @Test("frames come back, however their bytes are split", arguments: [1, 2, 5, 7, 1 << 20])
    func pieces(size: Int) throws {
        let all = Self.frames.flatMap(\.encoded)
        // The large frame byte by byte would take long.
        let bytes = size < 5 ? Self.frames[..<3].flatMap(\.encoded) : all
        var reader = OutputFrameReader()
        var found: [OutputFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            reader.append(bytes[start..<min(start + size, bytes.count)])
            while let frame = try reader.next() { found.append(frame) }
        }
        #expect(found == (size < 5 ? Array(Self.frames[..<3]) : Self.frames))
    }

    @Test("an exit status keeps its sign", arguments: [0, 7, -1, Int32.min, .max])
    func status(status: Int32) throws {
        var reader = OutputFrameReader()
        reader.append(OutputFrame.end(status).encoded)
        #expect(try reader.next() == .end(status))
        #expect(try reader.next() == nil)
    }

    @Test(
        "other bytes are refused before they take memory",
        arguments: [
            [3, 0, 0, 0, 0], [1, 1, 0, 16, 0], [2, 255, 255, 255, 255], [0, 3, 0, 0, 0, 1, 2, 3],
            [0, 5, 0, 0, 0, 1, 2, 3, 4, 5],
        ] as [[UInt8]]
    )
    func malformed(bytes: [UInt8]) {
        var reader = OutputFrameReader()
        reader.append(bytes)
        #expect(throws: MalformedFrame()) { try reader.next() }
    }
}

@Suite("Requests of verbs")
struct VerbRequestTests {
    private static func request() -> VerbRequest {
        var request = VerbRequest(
            ["register", "--key", "a=b", "", "\u{e9}\n"],
            directory: "/a b/="
        )
        request.variables = ["DAGSTORE_PATH": "x=y", "TERM": "dumb", "LANG": ""]
        request.isErrorTerminal = true
        request.columns = 80
        return request
    }

    @Test("a request comes back")
    func roundTrip() throws {
        let request = Self.request()
        let bytes = try #require(request.encoded)
        #expect(VerbRequest(bytes) == request)
        let empty = VerbRequest([], directory: "")
        #expect(VerbRequest(try #require(empty.encoded)) == empty)
    }

    @Test("a zero byte in an argument cannot be sent")
    func zero() {
        #expect(VerbRequest(["a\0b"], directory: "/").encoded == nil)
    }

    @Test("every prefix of a request, and every changed byte, is a request or refused")
    func damaged() throws {
        let bytes = try #require(Self.request().encoded)
        for count in 0..<bytes.count {
            // Whole records may be missing; a part of one is refused.
            let isWhole = VerbRequest(Array(bytes[..<count])) != nil
            if count > 0, bytes[count - 1] != 0 { #expect(!isWhole, "\(count)") }
        }
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0xff
            // Bytes of the heading and of names must be right; in values, only UTF-8 counts.
            #expect(VerbRequest(changed) != Self.request(), "\(place)")
        }
    }

    @Test("variables that verbs do not read are refused")
    func variables() throws {
        var request = Self.request()
        request.variables = ["LD_PRELOAD": "/evil.so"]
        #expect(VerbRequest(try #require(request.encoded)) == nil)
    }

    @Test("a request that is too large is refused")
    func large() throws {
        let text = String(repeating: "a", count: VerbRequest.sizeMax)
        #expect(VerbRequest(try #require(VerbRequest([text], directory: "/").encoded)) == nil)
    }
}
