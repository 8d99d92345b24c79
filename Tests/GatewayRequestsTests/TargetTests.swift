import DAGIPLD
import DAGMultiformats
import GatewayRequests
import Testing

/// Which targets are read, and how.
@Suite("Gateway targets")
struct TargetTests {
    static let root = Planning.root

    @Test(
        "a malformed target is refused with status 400",
        arguments: [
            "/ipfs/", "/ipfs", "/ipfs/?format=raw", "/ipfs/notacid?format=raw",
            "/ipfs/bafybeietjm63oynimmv5yyqay33nui4y4wx6u3peezwetxgiwvfmelutz?format=raw",
            "/ipfs/Qm?format=raw", "/ipfs/b?format=raw", "/ipfs/%ff?format=raw",
            "/ipfs/\(root)/..?format=car", "/ipfs/\(root)/a/../b?format=car",
            "/ipfs/\(root)/%2e%2e/b?format=car", "/ipfs/\(root)/%2E./b?format=car",
            "/ipfs/\(root)/./b?format=car", "/ipfs/../ipfs/\(root)?format=car",
            "/ipfs/\(root)/%00?format=car", "/ipfs/\(root)/a%00b?format=car",
            "/ipfs/\(root)/%?format=car", "/ipfs/\(root)/%4?format=car",
            "/ipfs/\(root)/%zz?format=car", "/ipfs/\(root)/%ff?format=car",
            "/ipfs/\(root)/%c3%28?format=car", "/ipfs/\(root)/%ed%a0%80?format=car",
            "/ipfs/\(root)/a b?format=car", "/ipfs/\(root)/a\nb?format=car",
            "/ipfs/\(root)/a\u{7f}?format=car", "/ipfs/\(root)?format=car#fragment",
            "/ipfs/\(root)?format=%zz", "/ipfs/\(root)?format=car&%ff=1",
            "/ipfs/\(root)?format=car&x=%00", "ipfs/\(root)?format=raw", "*", "",
            "ftp://host/ipfs/\(root)?format=raw", "http://host", "http://",
        ]
    )
    func malformed(target: String) {
        #expect(Planning.refusal(target) == 400)
    }

    @Test(
        "an unknown address is refused with status 404",
        arguments: [
            "/", "//", "/ipns/\(root)", "/piece", "/piece/a/b", "/health", "/health/other",
            "/health/livez/x", "/api/v0/cat", "/IPFS/\(root)?format=raw", "/?format=raw",
        ]
    )
    func unknown(target: String) {
        #expect(Planning.refusal(target) == 404)
    }

    @Test("a target beyond the limit is refused before it is read")
    func long() {
        let padding = String(repeating: "a", count: 100 << 10)
        #expect(Planning.refusal("/ipfs/\(Self.root)/\(padding)?format=car") == 414)
        #expect(Planning.refusal("/\(padding)") == 414)
        #expect(Planning.refusal("/ipfs/\(Self.root)?format=car&x=\(padding)") == 414)
    }

    @Test("a path of too many segments is refused")
    func manySegments() throws {
        let limit = DAGLimits().pathSegmentsMax
        let most = String(repeating: "/a", count: limit)
        #expect(Planning.refusal("/ipfs/\(Self.root)\(most)?format=car") == nil)
        #expect(Planning.refusal("/ipfs/\(Self.root)\(most)/a?format=car") == 400)
    }

    @Test(
        "path segments are decoded one by one, and empty ones are left out",
        arguments: [
            ("", []), ("/", []), ("//", []), ("/a", ["a"]), ("/a/", ["a"]),
            ("//a///b", ["a", "b"]),
            ("/a%2Fb/c", ["a/b", "c"]), ("/%61", ["a"]), ("/a+b", ["a+b"]), ("/a%20b", ["a b"]),
            ("/%C3%A4", ["ä"]), ("/ä", ["ä"]), ("/...", ["..."]), ("/..a", ["..a"]),
            ("/Portugal%252C%2BEspa%C3%B1a", ["Portugal%2C+España"]),
        ] as [(String, [String])]
    )
    func segments(path: String, segments: [String]) throws {
        let plan = try Planning.plan("/ipfs/\(Self.root)\(path)?format=car").car()
        #expect(plan.request.path.segments == segments)
        #expect(plan.request.root.description == Self.root)
    }

    @Test("the absolute form is read as its path")
    func absoluteForm() throws {
        for scheme in ["http", "https"] {
            let plan = try Planning.plan("\(scheme)://host:80/ipfs/\(Self.root)?format=raw").block()
            #expect(plan.cid.description == Self.root)
            #expect(plan.answer(size: 1)[.ipfsPath] == "/ipfs/\(Self.root)")
        }
    }

    @Test("a CID in any base is the same content")
    func bases() throws {
        let cid = try CID(Self.root)
        let tag = try Planning.plan("/ipfs/\(Self.root)?format=raw").block().tag
        for base in [Multibase.base36, .base58btc, .base16, .base32Upper] {
            let text = try cid.text(in: base)
            let plan = try Planning.plan("/ipfs/\(text)?format=raw").block()
            #expect(plan.cid == cid)
            #expect(plan.tag == tag)
        }
    }

    @Test(
        "methods other than GET, HEAD and OPTIONS are refused",
        arguments: ["/ipfs/\(root)?format=raw", "/", "nonsense"]
    )
    func methods(target: String) {
        let refusal = #expect(throws: GatewayRefusal.self) {
            try Planning.plan(target, .other)
        }
        #expect(refusal?.status == 405)
        #expect(refusal?.answer[.allow] == "GET, HEAD, OPTIONS")
    }

    @Test("OPTIONS is answered for every target", arguments: ["*", "/", "/ipfs/\(root)"])
    func options(target: String) throws {
        guard case .options(let answer) = try Planning.plan(target, .options) else {
            Issue.record("not the plan for OPTIONS")
            return
        }
        #expect(answer.status == 204)
        #expect(answer[.allow] == "GET, HEAD, OPTIONS")
        #expect(answer.body == nil)
    }

    @Test("every answer lets scripts of any origin read it")
    func crossOrigin() {
        func value(_ name: GatewayField.Name) -> String? {
            GatewayField.always.first { $0.name == name }?.value
        }
        #expect(value(.allowOrigin) == "*")
        #expect(value(.allowMethods) == "GET, HEAD, OPTIONS")
        for name in ["Content-Type", "Range", "User-Agent", "X-Requested-With"] {
            #expect(value(.allowHeaders)?.contains(name) == true)
        }
        for name in [
            "Content-Range", "Content-Length", "X-Ipfs-Path", "X-Ipfs-Roots", "X-Chunked-Output",
            "X-Stream-Output", "Ipfs-Uri",
        ] {
            #expect(value(.exposeHeaders)?.contains(name) == true)
        }
        #expect(value(.contentTypeOptions) == "nosniff")
    }

    @Test("the health addresses are plans of their own")
    func health() throws {
        guard case .liveness = try Planning.plan("/health/livez"),
            case .readiness = try Planning.plan("/health/readyz", .head)
        else {
            Issue.record("other plans")
            return
        }
    }

    @Test("the text of a refusal is one line of bounded length")
    func refusalText() {
        let refusal = GatewayRefusal(400, "a\r\nb\u{0}" + String(repeating: "ä", count: 5000))
        #expect(refusal.text.hasPrefix("a??b?ä"))
        #expect(refusal.text.filter(\.isNewline).count == 1)
        #expect(refusal.text.unicodeScalars.count == GatewayRefusal.textSizeMax + 1)
        #expect(refusal.answer[.contentLength] == "\(refusal.text.utf8.count)")
        #expect(refusal.answer[.contentType] == "text/plain; charset=utf-8")
        #expect(refusal.answer[.cacheControl] == "no-store")
    }
}
