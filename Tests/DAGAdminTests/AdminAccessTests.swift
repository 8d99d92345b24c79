import DAGAdmin
import Testing

@Suite("Access to the admin interface")
struct AdminAccessTests {
    private static let token = "0123456789abcdef"
    private static let access = AdminAccess(token: token, hosts: ["Node-1"])

    private static func fields(
        host: String? = "127.0.0.1:8081",
        token: String? = "Bearer \(token)",
        origin: String? = nil,
        site: String? = nil
    ) -> AdminAccess.Fields {
        var fields = AdminAccess.Fields()
        fields.host = host
        fields.authorization = token
        fields.origin = origin
        fields.fetchSite = site
        return fields
    }

    private static func isRight(_ fields: AdminAccess.Fields, isPublic: Bool = false) -> Bool {
        (try? access.check(fields, isPublic: isPublic)) != nil
    }

    @Test(
        "a token must be whole",
        arguments: [
            nil, "", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0", "Basic 0123456789abcdef", "0123456789abcdef",
            "Bearer  0123456789abcdef",
        ]
    )
    func wrongToken(token: String?) {
        #expect(throws: AdminAccess.Refusal.unauthorized) {
            try Self.access.check(Self.fields(token: token), isPublic: false)
        }
        #expect(Self.isRight(Self.fields(token: token), isPublic: true))
    }

    @Test("the word before a token has any case", arguments: ["Bearer", "bearer", "BEARER"])
    func rightToken(word: String) {
        #expect(Self.isRight(Self.fields(token: "\(word) \(Self.token)")))
    }

    @Test(
        "numbers, localhost and given names are this node",
        arguments: [
            "127.0.0.1", "10.1.2.3:8081", "localhost", "LOCALHOST:1", "[::1]", "[fe80::1]:8081",
            "node-1", "NODE-1:8081",
        ]
    )
    func knownHost(host: String) { #expect(Self.isRight(Self.fields(host: host))) }

    @Test(
        "other names are refused even with the token: someone else may map them to this machine",
        arguments: [
            nil, "", "evil.example", "node-1.evil.example", "127.0.0.1.evil.example", "1.2.3",
            "1.2.3.256", "[evil]", "[]", "localhost.evil.example:80", "a@127.0.0.1",
        ]
    )
    func unknownHost(host: String?) {
        #expect(!Self.isRight(Self.fields(host: host)))
        #expect(!Self.isRight(Self.fields(host: host), isPublic: true))
    }

    @Test("a page of another site is refused, whatever it shows")
    func crossSite() {
        let own = "http://127.0.0.1:8081"
        #expect(Self.isRight(Self.fields(origin: own, site: "same-origin")))
        for origin in ["http://evil.example", "null", "https://127.0.0.1:8081", "\(own)0", ""] {
            #expect(!Self.isRight(Self.fields(origin: origin)), "\(origin)")
        }
        #expect(!Self.isRight(Self.fields(site: "cross-site")))
        #expect(!Self.isRight(Self.fields(site: "same-site")))
        #expect(!Self.isRight(Self.fields(site: "cross-site"), isPublic: true))
        #expect(Self.isRight(Self.fields(site: "none"), isPublic: true))
    }

    @Test("the socket needs no token, and serves no browser")
    func local() {
        #expect((try? AdminAccess.local.check(AdminAccess.Fields(), isPublic: false)) != nil)
        let page = Self.fields(origin: "http://localhost")
        #expect((try? AdminAccess.local.check(page, isPublic: false)) == nil)
    }
}
