import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("File mounts")
struct FileMountTests {
    @Test(
        "a path survives its URL",
        arguments: [
            ("/srv/a.car", "file:///srv/a.car"),
            ("/", "file:///"),
            ("cars/a.car", "file://cars/a.car"),
            ("./a.car", "file://./a.car"),
            ("../up/../a.car", "file://../up/../a.car"),
            ("/a b.car", "file:///a%20b.car"),
            ("/100%.car", "file:///100%25.car"),
            ("/%2F.car", "file:///%252F.car"),
            ("/ü/文.car", "file:///%C3%BC/%E6%96%87.car"),
            // Composed and decomposed: two files.
            ("/\u{e9}", "file:///%C3%A9"),
            ("/e\u{301}", "file:///e%CC%81"),
            ("/line\nbreak", "file:///line%0Abreak"),
            ("/tab\t\u{1}\u{7f}", "file:///tab%09%01%7F"),
            ("/a?b#c&d=e+f@g:h;i,j", "file:///a%3Fb%23c%26d%3De%2Bf%40g%3Ah%3Bi%2Cj"),
            ("/A-Z.a_z~0/9", "file:///A-Z.a_z~0/9"),
            ("~/a.car", "file://~/a.car"),
            ("http://host/a.car", "file://http%3A/host/a.car"),
        ]
    )
    func roundTrip(path: String, url: String) throws {
        let mount = FileMount(FilePath(path))
        #expect(mount.url.text == url)
        let again = try FileMount(url: url)
        #expect(again == mount)
        #expect(try FileMount("").resolving(MountURL(url)) == mount)
        #expect(Array(again.path.string.utf8) == Array(mount.path.string.utf8))
    }

    @Test("every byte a path may hold survives")
    func everyByte() throws {
        let scalars = (1...0x7f).compactMap { UnicodeScalar($0) }
        let path = FilePath("/" + String(String.UnicodeScalarView(scalars)))
        #expect(try FileMount(url: FileMount(path).url.text).path == path)
    }

    // A name in an old encoding is not UTF-8, but its file is a file like any other.
    @Test("a path that is not UTF-8 survives its URL")
    func notUTF8() throws {
        let name: [CInterop.PlatformChar] = [0x2f, 0x61, -1, -0x40, 0x62, 0]
        let path = unsafe name.withUnsafeBufferPointer { buffer in
            // SAFETY: the array ends with a zero and lives through the call.
            unsafe FilePath(platformString: buffer.baseAddress.unsafelyUnwrapped)
        }
        let mount = FileMount(path)
        #expect(mount.url.text == "file:///a%FF%C0b")
        #expect(try FileMount(url: "file:///a%FF%C0b").path == path)
    }

    @Test("hexadecimal digits of both cases are read, and bytes that need no escape")
    func lenient() throws {
        #expect(try FileMount(url: "file:///%c3%BC").path == "/ü")
        #expect(try FileMount(url: "file:///%61.car").path == "/a.car")
        #expect(try FileMount(url: "file:///a b.car").path == "/a b.car")
        #expect(try FileMount(url: "file:///a://b").path == "/a:/b")
    }

    @Test(
        "a URL that cannot be one is refused",
        arguments: [
            "", "file", "file:", "file:/a", "/srv/a.car", "file://", "file:///%", "file:///%4",
            "file:///%4g", "file:///%zz", "file:///a%", "file:///a%00", "file:///%é1",
            "file:///%+1",
        ]
    )
    func malformed(url: String) {
        #expect(throws: MountError(.malformedURL, "")) { try FileMount(url: url) }
    }

    @Test(
        "another scheme is unknown",
        arguments: ["http://host/a.car", "://a", "FILE:///a", "files:///a", " file:///a"]
    )
    func unknownScheme(url: String) {
        #expect(throws: MountError(.unknownScheme, "")) { try FileMount(url: url) }
    }

    // The Go store wrote absolute paths with an escaped first slash, and lost them after a restart.
    @Test(
        "an absolute path that was stored with an escaped slash is absolute",
        arguments: [
            ("file://%2Fsrv", "/srv"), ("file://%2Fsrv%2Fa.car", "/srv/a.car"),
            ("file://%2fsrv/a%20b.car", "/srv/a b.car"),
        ]
    )
    func escapedSlash(url: String, path: String) throws {
        let mount = try FileMount("").resolving(MountURL(url))
        #expect(mount.path == FilePath(path))
        #expect(mount.path.isAbsolute)
    }

    @Test("a file keeps every promise of a mount", arguments: [0, 1, 3000])
    func conformance(size: Int) async throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let path = try folder.write(bytes, to: "a b%20ü.car")
        try await checkMount(FileMount(FilePath(path)), bytes: bytes)
    }

    @Test("a file that is missing is gone, and a folder is unreachable")
    func missing() async throws {
        let folder = try TemporaryFolder()
        let missing = FileMount(FilePath(folder.path(of: "none")))
        await #expect(throws: MountError(.gone, "")) { try await missing.stat() }
        let directory = FileMount(FilePath(folder.url.path))
        await #expect(throws: MountError(.unreachable, "")) { try await directory.stat() }
    }

    @Test("a URL of another scheme names no file")
    func otherScheme() throws {
        let url = try MountURL("files:///a")
        #expect(throws: MountError(.unknownScheme, "")) { try FileMount("").resolving(url) }
    }
}
