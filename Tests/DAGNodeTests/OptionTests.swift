import DAGNode
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Node options")
struct OptionTests {
    @Test("the table has each name and each variable once")
    func names() {
        #expect(Set(NodeOption.all.map(\.name)).count == NodeOption.all.count)
        #expect(Set(NodeOption.all.map(\.variable)).count == NodeOption.all.count)
        for option in NodeOption.all {
            #expect(option.variable.hasPrefix("DAGSTORE_"))
            #expect(option.text.hasSuffix("."), "\(option.name)")
        }
    }

    @Test("every default is a right value", arguments: NodeOption.all)
    func standards(option: NodeOption) {
        guard let standard = option.standard else { return }
        #expect(option.fault(in: standard) == nil)
    }

    static let addressLines: [(String, String)] = [
        (
            "postgresql://dag@db/c?sslmode=require",
            "cluster = postgresql://dag@db/c?sslmode=require"
        ),
        ("host=db dbname=c", "cluster = host=db dbname=c"),
        ("postgresql://dag:se@cret@db/c", "# cluster = postgresql://dag@db/c"),
        ("postgresql://dag:secret@[::1]:5432", "# cluster = postgresql://dag@[::1]:5432"),
        ("postgresql://db/c?password=secret&a=b", "# cluster = URL"),
        ("postgresql://db/c?sslpassword=secret", "# cluster = URL"),
        ("postgresql://db/c?passw%6frd=secret", "# cluster = URL"),
        ("postgresql://dag:a?ssecret@db/c", "# cluster = postgresql://dag@db/c"),
        ("postgresql://dag:a#/secret@db/c", "# cluster = postgresql://dag@db/c"),
        ("host=db password='se cret'", "# cluster = URL"),
    ]

    @Test("the file lacks the password of the database", arguments: OptionTests.addressLines)
    func hidesPassword(address: String, line: String) {
        let text = OptionText.file { $0 == .cluster ? [address] : [] }
        #expect(text.split(separator: "\n").contains(Substring(line)), "\(text.suffix(600))")
        #expect(!text.contains("cret"))
    }

    static let right: [(NodeOption, [String])] = [
        (.listen, ["0.0.0.0:0", "[::1]:65535", "node-1.example_x:80", "[fe80::1%eth0]:1"]),
        (.store, ["a", "/b c/#=\u{e9}", "a\tb"]),
        (.lazy, ["true", "false"]),
        (.streamsMax, ["1", "1000000"]),
        (.maxSection, ["1", "64MiB", "5kB", "1TiB"]),
        (.requestBytesMax, ["none", "1GB"]),
        (.drain, ["0", "10", "10s", "250ms", "5min", "24000h"]),
        (.rescanInterval, ["none", "1ms"]),
        (.logFormat, ["text", "json"]),
    ]

    @Test("right values are taken", arguments: right)
    func taken(option: NodeOption, values: [String]) {
        for value in values { #expect(option.fault(in: value) == nil, "\(value)") }
    }

    static let wrong: [(NodeOption, [String])] = [
        (
            .listen,
            [
                "", ":80", "a", "a:", "a:65536", "a:-1", "a:+1", "::1:80", "[]:80", "[::1]80",
                "a b:1",
                "a/b:1", "a:99999999999999999999",
            ]
        ),
        (.store, ["", "a\nb", "a\0b"]),
        (.lazy, ["yes", "1", "TRUE", ""]),
        (.streamsMax, ["0", "1000001", "1.5", "-1", "1k", ""]),
        (.maxSection, ["0", "0MiB", "5X", "MiB", "1 MiB", "-1", "99999999999999TiB", ""]),
        (.requestBytesMax, ["None", "0", "unlimited"]),
        (.drain, ["-1", "5x", "5 s", "1e3", "s", "", "24001h"]),
        (.rescanInterval, ["0", "0s", "never"]),
        (.idleTimeout, ["0", "0ms", "none"]),
        (.logLevel, ["INFO", "verbose"]),
    ]

    @Test("wrong values are refused, with what the option takes", arguments: wrong)
    func refused(option: NodeOption, values: [String]) {
        for value in values {
            #expect(option.fault(in: value)?.hasPrefix("takes ") == true, "\(value)")
        }
    }

    @Test("the settings of no values are the defaults")
    func defaults() throws {
        let settings = try NodeSettings { _ in [] }
        #expect(settings.listen == NodeAddress(host: "127.0.0.1", port: 8080))
        #expect(settings.store == "dagstore-data")
        #expect(settings.drain == .seconds(10))
        #expect(settings.settleTime == .seconds(2))
        #expect(settings.sectionSizeMax == 8 << 20)
        #expect(settings.headerSizeMax == 32 << 20)
        #expect(settings.requestBytesMax == nil && settings.totalBytesMax == nil)
        #expect(settings.rescanInterval == nil && settings.tls == nil)
        #expect(!settings.isLazy && !settings.verifiesBlocks && !settings.logsJSON)
    }

    @Test("a certificate needs a key, and a key a certificate")
    func tls() throws {
        for option in [NodeOption.tlsCert, .tlsKey] {
            #expect(throws: OptionError.self) { try NodeSettings { $0 == option ? ["a"] : [] } }
        }
        let both = try NodeSettings { [.tlsCert: ["c"], .tlsKey: ["k"]][$0] ?? [] }
        #expect(both.tls?.certificate == "c" && both.tls?.key == "k")
    }

    @Test("addresses are written as they are read", arguments: ["a.b:1", "[::1]:80", "1.2.3.4:0"])
    func addresses(text: String) { #expect(NodeAddress(text)?.description == text) }
}

@Suite("Node option files")
struct OptionFileTests {
    private func read(_ text: String) throws(OptionError) -> [NodeOption: [String]] {
        try OptionFile(Array(text.utf8), name: "f").values
    }

    @Test("the printed file is read as the defaults")
    func printedDefaults() throws {
        let values = try read(OptionText.file { _ in [] })
        let expected = NodeOption.all.filter(\.isInFile).compactMap { option in
            option.standard.map { (option, [$0]) }
        }
        #expect(values == Dictionary(uniqueKeysWithValues: expected))
        #expect(try NodeSettings { values[$0] ?? [] } == NodeSettings { _ in [] })
    }

    @Test("the printed file is read as the values that it was printed with")
    func printedValues() throws {
        let given: [NodeOption: [String]] = [
            .listen: ["[::1]:9"], .mountDir: ["/a b", " /c ", "\"d\"", "#e"], .lazy: ["true"],
            .requestBytesMax: ["5GiB"], .tlsCert: ["c.pem"], .tlsKey: ["k.pem"],
        ]
        let values = try read(OptionText.file { given[$0] ?? [] })
        for (option, value) in given { #expect(values[option] == value) }
    }

    @Test("comments, empty lines, blanks, quotes and line ends of other systems are no problem")
    func syntax() throws {
        let text =
            "\u{feff}# a\r\n\n  listen=a:1\r\n\tstore =\t\" b # c \"  \n   # d\nmount-dir = /x = y\n"
        let values = try read(text + "mount-dir = /z")
        #expect(
            values == [.listen: ["a:1"], .store: [" b # c "], .mountDir: ["/x = y", "/z"]]
        )
    }

    static let faults: [(String, String)] = [
        ("listen = a:1\nbogus = 1", "f, line 2: has the unknown key bogus"),
        ("= 1", "f, line 1: has the unknown key ''"),
        ("config = x", "f, line 1: has the unknown key config"),
        ("listen", "f, line 1: is not 'key = value', and not a comment with #"),
        ("drain = 5 weeks", "takes a time such as 10s, 250ms, 5min or 1h, not 5 weeks"),
        ("drain =", "f, line 1: drain takes a time"),
        ("drain = 1\n\ndrain = 2", "f, line 3: has drain a second time"),
        ("store = a\u{1b}[2J", "f, line 1: has a control character"),
        ("max-section = 5X", "f, line 1: max-section takes a number of bytes"),
    ]

    @Test("a fault is reported with its line and its key", arguments: faults)
    func fault(text: String, expected: String) {
        #expect { try read(text) } throws: { error in "\(error)".contains(expected) }
    }

    @Test("bytes that are no text, and too many of them, are refused")
    func bytes() {
        #expect(throws: OptionError("f, line 2", "is not UTF-8")) {
            try OptionFile([0x0a, 0xff], name: "f")
        }
        let many = [UInt8](repeating: UInt8(ascii: "\n"), count: OptionFile.sizeMax + 1)
        #expect(throws: OptionError("f", "has more than \(OptionFile.sizeMax) bytes")) {
            try OptionFile(many, name: "f")
        }
        #expect(throws: Never.self) { try OptionFile(many.dropLast(), name: "f") }
    }

    @Test("the guide's table is the table of the options")
    func documentation() throws {
        let guide = PackageFolder.url
            .appending(path: "Sources/DAGStorage/DAGStorage.docc/Operating.md")
        let text = try String(contentsOf: guide, encoding: .utf8)
        let rows = text.split(separator: "\n").filter {
            $0.hasPrefix("| `--") && $0.contains("`DAGSTORE_")
        }
        #expect(rows.map(String.init) == OptionText.documentation)
    }
}
