import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Object URLs and networks")
struct TargetTests {
    @Test(
        "a URL is parsed, and written as servers expect it",
        arguments: [
            ("http://Example.com", "http://example.com/", 80),
            ("HTTPS://example.com:443/a%20b?x=1&y", "https://example.com/a%20b?x=1&y", 443),
            ("http://example.com:8080/a b\u{e9}", "http://example.com:8080/a%20b%C3%A9", 8080),
            ("http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81/x", 81),
            ("http://10.0.0.1?q", "http://10.0.0.1/?q", 80),
        ]
    )
    func parses(text: String, expected: String, port: Int) throws {
        let url = try ObjectURL(text)
        #expect(url.text == expected)
        #expect(url.origin.port == port)
        #expect(try ObjectURL(url.text) == url)
    }

    @Test(
        "a malformed URL is refused, and the error does not repeat it",
        arguments: [
            "http://user:secret@example.com/", "http://", "http:///x", "http://a b/", "example.com",
            "http://example.com:0/", "http://example.com:99999/", "http://example.com:1x/",
            "http://[::1/", "http://[zz]/", "http://exa%6dple.com/", "http://example.com/#part",
            "http://example.com/%zz", "http://example.com/\u{7}", "http://127.1/",
            "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
        ]
    )
    func malformed(text: String) {
        let error = #expect(throws: ObjectStorageError(.malformedURL, "")) {
            try ObjectURL(text)
        }
        #expect(error?.detail.contains("secret") == false)
    }

    @Test("schemes of this machine are refused", arguments: ["file:///etc/passwd", "data:,x"])
    func schemes(text: String) throws {
        #expect(throws: ObjectStorageError(.targetRefused, "")) { try ObjectURL(text) }
        let url = try ObjectURL("http://example.com/a")
        #expect(throws: ObjectStorageError(.targetRefused, "")) { try url.redirected(to: text) }
    }

    // RFC 3986, section 5.4, as far as requests have these forms.
    @Test(
        "a redirect is resolved as RFC 3986 says",
        arguments: [
            ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("/g", "http://a/g"),
            ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"), ("..", "http://a/b/"), ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"), ("g/./h", "http://a/b/c/g/h"), ("g#s", "http://a/b/c/g"),
            ("g;x=1/../y", "http://a/b/c/y"), ("https://h/x", "https://h/x"),
        ]
    )
    func redirects(location: String, expected: String) throws {
        let base = try ObjectURL("http://a/b/c/d;p?q")
        #expect(try base.redirected(to: location).text == expected)
    }

    @Test("a redirect from https to http is refused")
    func downgrade() throws {
        let base = try ObjectURL("https://a/")
        #expect(throws: ObjectStorageError(.targetRefused, "")) {
            try base.redirected(to: "http://a/")
        }
    }

    @Test("a URL's description has no query, and presigned URLs are known")
    func description() throws {
        let url = try ObjectURL("https://a/b?X-Amz-Signature=abc")
        #expect(url.description == "https://a/b")
        #expect(url.isPresigned)
        #expect(try !ObjectURL("https://a/b?version=sig").isPresigned)
    }

    @Test(
        "an address belongs to its network",
        arguments: [
            ("8.8.8.8", .global), ("127.0.0.1", .local), ("10.1.2.3", .local),
            ("172.16.0.1", .local), ("172.32.0.1", .global), ("192.168.0.1", .local),
            ("100.64.0.1", .local), ("169.254.169.254", .link), ("0.0.0.0", .link),
            ("224.0.0.1", .link), ("255.255.255.255", .link), ("::1", .local), ("::", .link),
            ("fe80::1%eth0", .link), ("fd12::1", .local), ("fd00:ec2::254", .link),
            ("ff02::1", .link), ("2606:4700::1111", .global), ("::ffff:127.0.0.1", .local),
            ("::ffff:8.8.8.8", .global), ("64:ff9b::a9fe:a9fe", .link), ("2002:7f00:1::", .local),
            ("::7f00:1", .local), ("2001:db8::1", .link), ("64:ff9b::808:808", .global),
            ("64:ff9b:1:a9fe:a9:fe00:808:808", .link),
        ] as [(String, NetworkAddress.Network)]
    )
    func networks(text: String, network: NetworkAddress.Network) throws {
        #expect(try #require(NetworkAddress(text)).network == network)
    }

    @Test(
        "other texts are no addresses",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", ":", ":::", "1::2::3", "g::",
        ]
    )
    func noAddress(text: String) { #expect(NetworkAddress(text) == nil) }

    @Test("the policy refuses the node's own networks")
    func policy() throws {
        let refused = [
            "http://127.0.0.1/", "http://localhost/", "http://a.localhost./", "http://[::1]/",
        ]
        for text in refused {
            let url = try ObjectURL(text)
            #expect(throws: ObjectStorageError(.targetRefused, "")) {
                try TargetPolicy.global.check(url)
            }
            try TargetPolicy.local.check(url)
        }
        let metadata = try ObjectURL("http://169.254.169.254/")
        #expect(throws: ObjectStorageError(.targetRefused, "")) {
            try TargetPolicy.local.check(metadata)
        }
        try TargetPolicy.all.check(metadata)
    }

    @Test("no text makes the parsers trap", arguments: 0..<8)
    func randomTexts(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        let signs = Array("http://:@[]%?#/.0a\\\u{e9} -1fF,*bytes=".unicodeScalars)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...40, using: &generator)
            var text = String.UnicodeScalarView()
            for _ in 0..<count { text.append(signs.randomElement(using: &generator) ?? "a") }
            let string = String(text)
            _ = NetworkAddress(string)
            _ = ContentRange(string)
            _ = UTCTime(httpDate: string)
            _ = UTCTime(isoDate: string)
            _ = FlatJSON(Array(string.utf8))
            _ = ProfileFile(text: string)
            if let url = try? ObjectURL("http://" + string) {
                #expect((try? ObjectURL(url.text)) == url, "\(string)")
            }
            if let base = try? ObjectURL("http://a/b"), let url = try? base.redirected(to: string) {
                #expect((try? ObjectURL(url.text)) == url, "\(string)")
            }
        }
    }
}
