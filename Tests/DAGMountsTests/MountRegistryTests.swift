import DAGBytes
import DAGMounts
import SystemPackage
import TestSupport
import Testing

@Suite("Mount URLs")
struct MountURLTests {
    @Test(
        "a URL is a scheme and anything",
        arguments: [
            ("file:///a", "file"), ("memory://", "memory"),
            ("s3+http.v2-x://a?b#c", "s3+http.v2-x"),
            ("a://b://c", "a"), ("x1://\u{1}\n é", "x1"),
        ]
    )
    func schemes(text: String, scheme: String) throws {
        let url = try MountURL(text)
        #expect(url.scheme == scheme)
        #expect(url.text == text)
        #expect("\(url)" == text)
    }

    @Test(
        "a text that cannot be one is refused",
        arguments: [
            "", "a", "a:", "a:/b", "://a", "File:///a", "FILE:///a", "1a://b", "-a://b", "a_b://c",
            "a b://c", " a://b", "é://a", "a://b\0", "a://" + String(repeating: "b", count: 65_533),
        ]
    )
    func malformed(text: String) {
        #expect(throws: MountError(.malformedURL, "")) { try MountURL(text) }
    }

    @Test("the longest URL has 65,536 bytes")
    func longest() throws {
        let text = "a://" + String(repeating: "b", count: MountURL.sizeMax - 4)
        #expect(try MountURL(text).text.utf8.count == 65_536)
    }

    @Test("composed and decomposed letters are two URLs")
    func bytes() throws {
        let urls = try [MountURL("a://\u{e9}"), MountURL("a://e\u{301}"), MountURL("a://\u{e9}")]
        #expect(urls[0] != urls[1])
        #expect(urls[0] == urls[2])
        #expect(Set(urls).count == 2)
    }

    @Test("a large validator is stored as its hash, and still distinguishes bytes")
    func validators() {
        let fits = String(repeating: "a", count: 1024)
        #expect(MountStat(size: 1, validator: fits).validator == fits)
        let long = ["b", "c", "b"].map { last in
            MountStat(size: nil, validator: fits + last)
        }
        #expect(long[0] == long[2])
        #expect(long[0] != long[1])
        #expect(long[0].validator?.utf8.count == 9 + 64)
    }
}

@Suite("Mount registries")
struct MountRegistryTests {
    @Test("the standard registry makes file mounts")
    func standard() throws {
        let registry = MountRegistry.standard
        #expect(registry.schemes == ["file"])
        let mount = try registry.mount(for: MountURL("file://%2Fsrv/a.car"))
        #expect((mount as? FileMount)?.path == "/srv/a.car")
    }

    @Test("an empty registry knows no scheme")
    func empty() throws {
        let registry = MountRegistry()
        let url = try MountURL("file:///a")
        #expect(registry.schemes == [])
        #expect(throws: MountError(.unknownScheme, "")) { try registry.mount(for: url) }
    }

    @Test("a scheme is registered once, and must be one")
    func register() throws {
        var registry = MountRegistry.standard
        let template = MemoryMount(in: MemoryFiles())
        #expect(!registry.contains(scheme: "memory"))
        try registry.register(template, scheme: "memory")
        #expect(registry.contains(scheme: "memory"))
        #expect(registry.schemes == ["file", "memory"])
        for scheme in ["memory", "file"] {
            #expect(throws: MountError(.exists, "")) {
                try registry.register(template, scheme: scheme)
            }
        }
        for scheme in ["", "A", "a b", "1", "a:", "ä"] {
            #expect(throws: MountError(.malformedURL, "")) {
                try registry.register(template, scheme: scheme)
            }
        }
        #expect(registry.schemes == ["file", "memory"])
    }

    @Test("one type serves several schemes, and its mounts have the template's parts")
    func templates() async throws {
        let state = CountingMount.State()
        state.set("a", [1])
        state.set("b", [2, 3])
        let template = try CountingMount(in: state, access: .random)
        var registry = MountRegistry()
        try registry.register(template, scheme: "one")
        try registry.register(template, scheme: "two")
        for text in ["one://a", "two://b"] {
            let url = try MountURL(text)
            let mount = try registry.mount(for: url)
            #expect(mount.url == url)
            #expect(mount.access == .random)
            _ = try await mount.stat()
        }
        #expect(state.counts == CountingMount.Counts(stats: 2, opens: 0, bytes: 0))
    }

    @Test("a URL that the template refuses is refused")
    func refused() throws {
        let url = try MountURL("file://%")
        #expect(throws: MountError(.malformedURL, "")) {
            try MountRegistry.standard.mount(for: url)
        }
    }
}

@Suite("Memory mounts")
struct MemoryMountTests {
    @Test(
        "memory keeps every promise of a mount",
        arguments: ["a", "", "a b/c%ü\u{1}", "\u{e9}", "e\u{301}"],
        [0, 1, 5000]
    )
    func conformance(name: String, size: Int) async throws {
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        try await checkMount(MemoryMount(bytes, name: name), bytes: bytes)
    }

    @Test("a template finds names again, and removed names are gone")
    func template() async throws {
        let files = MemoryFiles()
        files.set("a b", [1, 2])
        files.set("\u{e9}", [3])
        var registry = MountRegistry()
        try registry.register(MemoryMount(in: files), scheme: MemoryMount.scheme)
        let url = MemoryMount("a b", in: files).url
        #expect(url.text == "memory://a%20b")
        let mount = try registry.mount(for: url)
        #expect(try await mount.stat().size == 2)
        guard case .bytes(let before) = try await mount.open() else {
            Issue.record("not memory")
            return
        }
        let stat = try await mount.stat()
        files.set("a b", [9, 9])
        #expect(try await mount.stat() != stat)
        files.set("a b", [1, 2])
        #expect(try await mount.stat() == stat)
        files.remove("a b")
        await #expect(throws: MountError(.gone, "")) { try await mount.stat() }
        await #expect(throws: MountError(.gone, "")) { try await mount.open() }
        #expect(withExtendedLifetime(before) { before.view.copied } == [1, 2])
        let decomposed = try registry.mount(for: MountURL("memory://e%CC%81"))
        await #expect(throws: MountError(.gone, "")) { try await decomposed.stat() }
    }

    @Test(
        "a URL that names no text is refused",
        arguments: ["memory://%", "memory://%FF", "m://a"]
    )
    func malformed(text: String) throws {
        let url = try MountURL(text)
        let code: MountError.Code = text.hasPrefix("memory") ? .malformedURL : .unknownScheme
        #expect(throws: MountError(code, "")) { try MemoryMount(in: MemoryFiles()).resolving(url) }
    }
}

@Suite("Mounts for tests")
struct TestMountTests {
    @Test(
        "mounts of every access keep every promise",
        arguments: [MountAccess.sequential, .random, .mappable],
        [0, 1, 70_000]
    )
    func conformance(access: MountAccess, size: Int) async throws {
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        try await checkMount(CountingMount(bytes, access: access), bytes: bytes)
        let faulty = FaultyMount.State(FaultyMount.Faults(bytes))
        try await checkMount(FaultyMount(faulty, access: access), bytes: bytes)
    }

    @Test("the conformance suite finds a mount with other bytes", arguments: [-1, 1])
    func finds(change: Int) async throws {
        let bytes = [UInt8](repeating: 7, count: 1000)
        for access in [MountAccess.sequential, .random, .mappable] {
            let state = FaultyMount.State(FaultyMount.Faults(bytes))
            state.change { $0.lengthChange = change }
            let mount = try FaultyMount(state, access: access)
            await #expect(throws: MountProblem.self) { try await checkMount(mount, bytes: bytes) }
        }
    }

    @Test("a mount counts its calls")
    func counts() async throws {
        let mount = try CountingMount([1, 2, 3])
        try await checkMount(mount, bytes: [1, 2, 3])
        #expect(mount.state.counts == CountingMount.Counts(stats: 4, opens: 3, bytes: 9))
    }

    @Test("a step fails the configured number of times, then works")
    func failures() async throws {
        let state = FaultyMount.State(FaultyMount.Faults([1]))
        let mount = try FaultyMount(state)
        state.change { $0.failuresLeft = [.stat: 2] }
        for _ in 0..<2 {
            await #expect(throws: MountError(.unreachable, "")) { try await mount.stat() }
        }
        #expect(try await mount.stat() == MountStat(size: 1))
        state.change { faults in
            faults.isReady = false
            faults.validator = "v"
        }
        #expect(try await mount.stat() == MountStat(size: 1, isReady: false, validator: "v"))
        #expect(state.count(of: .stat) == 4)
    }
}
