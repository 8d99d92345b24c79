#if Node
    import DAGNode
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @Suite("Node option sources")
    struct OptionReaderTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func reader(
            _ flags: [NodeOption: [String]] = [:],
            _ environment: [String: String] = [:],
            file: String? = nil
        ) throws -> OptionReader {
            var flags = flags
            if let file { flags[.config] = [try folder.write(Array(file.utf8), to: "node.conf")] }
            return try OptionReader(flags: flags) { environment[$0] }
        }

        @Test("a flag wins over a variable, and that over the file", arguments: NodeOption.all)
        func precedence(option: NodeOption) throws {
            guard option.isInFile else { return }
            let (first, second, third) = Self.values(of: option)
            let environment = [option.variable: second]
            let file = "\(option.name) = \(third)"
            let all = try reader([option: [first]], environment, file: file)
            #expect(all.values(of: option) == [first])
            #expect(try reader([:], environment, file: file).values(of: option) == [second])
            let empty = [option.variable: ""]
            #expect(try reader([:], empty, file: file).values(of: option) == [third])
            #expect(try reader().values(of: option) == [])
        }

        /// Three right values.
        private static func values(of option: NodeOption) -> (String, String, String) {
            switch option.kind {
            case .address: ("a:1", "b:2", "[::3]:3")
            case .path, .paths, .text: ("/a", "/b", "/c")
            case .names: ("a", "b-1", "c.example")
            case .flag: ("true", "false", "true")
            case .count: ("7", "8", "9")
            case .size, .limit: ("7MiB", "8", "9kB")
            case .duration, .timeout, .pause: ("7s", "8", "9min")
            case .choice(let words): (words[0], words[1], words[0])
            }
        }

        @Test("several folders come from flags, from a variable with colons, or from lines")
        func folders() throws {
            #expect(
                try reader([.mountDir: ["/a", "/b:c"]]).settings().mountFolders == ["/a", "/b:c"]
            )
            let variable = ["DAGSTORE_MOUNT_DIR": "/a:/b"]
            #expect(try reader([:], variable).settings().mountFolders == ["/a", "/b"])
            let file = "mount-dir = /a\nmount-dir = /b:c"
            #expect(try reader(file: file).settings().mountFolders == ["/a", "/b:c"])
        }

        @Test("the file can be named by a variable, and the store by DAGSTORE_PATH")
        func variables() throws {
            let path = try folder.write(Array("drain = 3s".utf8), to: "node.conf")
            let environment = [
                "DAGSTORE_CONFIG": path, "DAGSTORE_PATH": "/s", "DAGSTORE_STORE": "/t",
            ]
            let settings = try reader([:], environment).settings()
            #expect(settings.drain == .seconds(3))
            #expect(settings.store == "/s")
        }

        @Test("a fault names the flag, the variable or the line, also if another source would win")
        func faults() throws {
            let takes = "takes true or false, not x"
            #expect(throws: OptionError("--lazy", takes)) { try reader([.lazy: ["x"]]) }
            #expect(throws: OptionError("DAGSTORE_LAZY", takes)) {
                try reader([.lazy: ["true"]], ["DAGSTORE_LAZY": "x"])
            }
            let path = folder.path(of: "node.conf")
            #expect(throws: OptionError("\(path), line 1", "lazy \(takes)")) {
                try reader([.lazy: ["true"]], file: "lazy = x")
            }
            #expect(throws: OptionError.self) { try reader([:], ["DAGSTORE_MOUNT_DIR": "/a::/b"]) }
        }

        @Test("a file that is missing, a folder or too large is refused")
        func badFiles() throws {
            let missing = folder.path(of: "missing")
            #expect { try reader([.config: [missing]]) } throws: { error in
                "\(error)" == "\(missing): cannot be read: No such file or directory"
            }
            #expect(throws: OptionError.self) { try reader([.config: [folder.url.path]]) }
            let many = [UInt8](repeating: UInt8(ascii: "\n"), count: OptionFile.sizeMax + 1)
            let large = try folder.write(many, to: "large")
            #expect(throws: OptionError("\(large)", "has more than \(OptionFile.sizeMax) bytes")) {
                try reader([.config: [large]])
            }
        }
    }
#endif
