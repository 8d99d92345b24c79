#if Node
    @testable import DAGAdmin
    import HTTPTypes
    import Testing

    @Suite("Addresses of the admin interface")
    struct RouteTests {
        private static func route(_ path: String) -> AdminRoute {
            AdminRoute(HTTPRequest(method: .get, scheme: nil, authority: nil, path: path))
        }

        @Test(
            "parts of a path are decoded each by itself",
            arguments: [
                ("/", []), ("", []), ("/v1/node", ["v1", "node"]), ("//v1//node/", ["v1", "node"]),
                ("/v1/shards/a%2Fb%20%C3%A9+", ["v1", "shards", "a/b \u{e9}+"]),
                ("/v1/shards/%25", ["v1", "shards", "%"]), ("/a?b=c?d", ["a"]),
            ] as [(String, [String])]
        )
        func paths(text: String, parts: [String]) {
            #expect(Self.route(text).path == parts)
        }

        @Test(
            "malformed escapes are no path",
            arguments: ["/%", "/%4", "/%zz", "/%+1", "/%ff", "/a%00b", "/%C3"]
        )
        func malformedPaths(text: String) {
            #expect(Self.route(text).path == nil)
            #expect(Self.route("/a?x=" + text.dropFirst()).query == nil)
        }

        @Test("a query has names and values, and a plus is a space")
        func queries() throws {
            let query = try #require(Self.route("/a?state=x&state=y&search=a+b%26c&odd&=").query)
            #expect(query.map(\.name) == ["state", "state", "search", "odd", ""])
            #expect(query.map(\.value) == ["x", "y", "a b&c", "", ""])
            #expect(Self.route("/a?").query?.isEmpty == true)
        }

        @Test("only the page and its like are for everybody")
        func publicPaths() {
            for path in ["/", "/openapi.json", "/favicon.ico", "/?x=1"] {
                #expect(Self.route(path).isPublic, "\(path)")
            }
            for path in ["/v1/node", "/metrics", "/openapi.json/x", "/%2e", "/%"] {
                #expect(!Self.route(path).isPublic, "\(path)")
            }
        }
    }
#endif
