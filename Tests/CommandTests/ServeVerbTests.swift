import TestSupport
import Testing

/// What `serve` does before it serves; `DAGNodeTests` has the rest.
@Suite("Serving")
struct ServeVerbTests {
    #if Node
        @Test("a store that is missing, and has no folder to fill it, is refused")
        func missingStore() async throws {
            let outcome = try await Scene().json("serve")
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "invalidArgument")
            #expect(outcome.out.isEmpty)
        }
    #else
        @Test("a build without the trait Node says which build can serve")
        func notBuiltIn() async throws {
            let json = try await Scene().json("serve", "--listen", "127.0.0.1:0")
            #expect(json.status == 2)
            #expect(json.error["code"] == "notBuiltIn")
            let text = try await Scene().run("serve")
            #expect(text.status == 2)
            #expect(text.errorText.contains("'make release' or 'swift build --traits Node'"))
            #expect(text.errorText.contains("(notBuiltIn)"))
        }
    #endif
}
