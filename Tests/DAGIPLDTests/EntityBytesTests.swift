import DAGIPLD
import Testing

@Suite("Ranges of entity bytes, and paths")
struct EntityBytesTests {
    @Test(
        "a text is a range, or none",
        arguments: [
            ("0:*", EntityBytes(from: 0)), ("0:0", EntityBytes(from: 0, to: 0)),
            ("-1024:*", EntityBytes(from: -1024)), ("512:-256", EntityBytes(from: 512, to: -256)),
            ("-9999:-3", EntityBytes(from: -9999, to: -3)), ("-5:7", EntityBytes(from: -5, to: 7)),
            ("9223372036854775807:*", EntityBytes(from: .max)), ("", nil), (":", nil), ("5", nil),
            ("5:", nil), (":5", nil), ("*:5", nil), ("1:2:3", nil), ("+1:2", nil), ("1:+2", nil),
            (" 1:2", nil), ("1: 2", nil), ("0x1:2", nil), ("5:4", nil), ("-4:-5", nil),
            ("9223372036854775808:*", nil), ("0:-9223372036854775809", nil), ("١:٢", nil),
        ] as [(String, EntityBytes?)]
    )
    func parsing(text: String, range: EntityBytes?) {
        #expect(EntityBytes(text) == range)
        if let range { #expect(range.description == text) }
    }

    @Test(
        "a range of a file is its part inside the file",
        arguments: [
            ("0:*", 1000, 0..<1000), ("0:0", 1000, 0..<1), ("512:1023", 1000, 512..<1000),
            ("512:-256", 1000, 512..<745), ("-5:*", 1000, 995..<1000),
            ("-9999:*", 1000, 0..<1000), ("-9999:-3", 1000, 0..<998), ("-5:-1", 1000, 995..<1000),
            ("999:*", 1000, 999..<1000), ("1000:*", 1000, nil), ("0:-1001", 1000, nil),
            ("0:-1000", 1000, 0..<1), ("900:-200", 1000, nil), ("-5:7", 1000, nil),
            ("0:*", 0, nil), ("-1:*", 0, nil), ("0:9223372036854775807", 1000, 0..<1000),
            ("-9223372036854775808:*", 1000, 0..<1000),
        ] as [(String, UInt64, Range<UInt64>?)]
    )
    func parts(text: String, size: UInt64, part: Range<UInt64>?) throws {
        #expect(try #require(EntityBytes(text)).range(inFileOf: size) == part)
    }

    @Test(
        "a path is its segments, and dots are none",
        arguments: [
            ("", []), ("/", []), ("a", ["a"]), ("/a//b/", ["a", "b"]), ("a%2Fb", ["a%2Fb"]),
            ("...", ["..."]), ("a/..", nil), ("./a", nil), ("a\u{0}b", nil),
        ] as [(String, [String]?)]
    )
    func paths(text: String, segments: [String]?) {
        #expect(IPLDPath(text)?.segments == segments)
    }
}
