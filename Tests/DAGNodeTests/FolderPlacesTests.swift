#if Node
    import DAGStorage
    import DAGSystem
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGNode

    @Suite("Folders to follow")
    struct FolderPlacesTests {
        private let folder: TemporaryFolder
        private let place: FilePath

        init() throws {
            folder = try TemporaryFolder()
            let path = FilePath(folder.url.path)
            place = FileSystem.resolved(path) ?? path
            for name in ["a", "ab", "a/sub", "store", "store/transients"] {
                try FileSystem.makeDirectory(FilePath("\(place)/\(name)"))
            }
            try FileManager.default.createSymbolicLink(
                atPath: place.appending("link").string,
                withDestinationPath: "a"
            )
        }

        private func places(_ names: String...) throws -> FolderPlaces {
            try FolderPlaces(
                names.map { FilePath("\(place)/\($0)") },
                store: place.appending("store")
            )
        }

        @Test("a link to a folder means the folder, and the store may lie in a folder")
        func resolved() throws {
            #expect(
                try places("link", "ab").roots == [place.appending("a"), place.appending("ab")]
            )
            #expect(try places("").roots == [place])
        }

        @Test(
            "folders that share files, lie in the store or are missing are refused",
            arguments: [
                ["a", "a/sub"], ["a/sub", "a"], ["a", "link"], ["a", "a"], ["store"],
                ["store/transients"], ["missing"],
            ]
        )
        func refused(names: [String]) throws {
            #expect(throws: DAGStoreError(.invalidArgument, "")) {
                try FolderPlaces(
                    names.map { FilePath("\(place)/\($0)") },
                    store: place.appending("store")
                )
            }
        }

        @Test("a node without folders is ready, and one with folders after all of them")
        func readiness() {
            #expect(Readiness(waitingFor: 0).isReady)
            let readiness = Readiness(waitingFor: 2)
            readiness.addOne()
            #expect(!readiness.isReady)
            readiness.addOne()
            #expect(readiness.isReady)
        }
    }
#endif
