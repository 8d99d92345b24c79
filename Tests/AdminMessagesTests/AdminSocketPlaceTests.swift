import AdminMessages
import DAGSystem
import SystemPackage
import TestSupport
import Testing

@Suite("The place of the admin socket")
struct AdminSocketPlaceTests {
    @Test("it is in the store's folder as long as a socket's path may be")
    func short() {
        let longest = "/" + String(repeating: "a", count: AdminSocketPlace.pathSizeMax - 12)
        let place = AdminSocketPlace(store: FilePath(longest))
        #expect(place.path.string == "\(longest)/admin.sock")
        #expect(place.path.string.utf8.count == AdminSocketPlace.pathSizeMax)
        #expect(place.runtimeFolder == nil)
    }

    @Test("a longer path has a socket elsewhere, with a name of its own")
    func long() throws {
        let one = AdminSocketPlace(store: FilePath("/" + String(repeating: "a", count: 200)))
        let other = AdminSocketPlace(store: FilePath("/" + String(repeating: "a", count: 201)))
        let folder = try #require(one.runtimeFolder)
        #expect(one.path.removingLastComponent() == folder)
        #expect(one.path != other.path)
        #expect(one.path.string.utf8.count <= AdminSocketPlace.pathSizeMax)
    }

    @Test("a client finds what the address says, and believes no odd one")
    func address() throws {
        let folder = try TemporaryFolder()
        let store = FilePath(folder.path(of: ""))
        #expect(AdminSocketPlace.find(in: store) == nil)
        let file = AdminSocketPlace.addressName
        _ = try folder.write(Array("/run/x/a.sock".utf8), to: file)
        #expect(AdminSocketPlace.find(in: store) == "/run/x/a.sock")
        for text in ["relative.sock", "", String(repeating: "/a", count: 60), "/a\u{0}b"] {
            _ = try folder.write(Array(text.utf8), to: file)
            let found = AdminSocketPlace.find(in: store)
            #expect(found == nil || found == "/a", "\(text)")
        }
        _ = try folder.write([0x2f, 0xff], to: file)
        #expect(AdminSocketPlace.find(in: store) == nil)
    }
}
