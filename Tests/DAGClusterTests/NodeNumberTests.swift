#if Cluster
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite("The number of a node")
    struct NodeNumberTests {
        private static let cluster = [UInt8](repeating: 0xab, count: 16)

        @Test("the file keeps the number")
        func kept() throws {
            let folder = try TemporaryFolder()
            let made = try NodeNumber(in: .init(folder.url.path), of: Self.cluster)
            #expect(try NodeNumber(in: .init(folder.url.path), of: Self.cluster) == made)
            #expect(try NodeNumber(in: .init(folder.url.path)) == made)
            let other = try TemporaryFolder()
            #expect(try NodeNumber(in: .init(other.url.path), of: Self.cluster).node != made.node)
        }

        @Test(
            "a damaged file is an error",
            arguments: [
                "", "dagstore cluster 1\n", "dagstore cluster 2\ncluster 00\nnode 00\n",
                "dagstore cluster 1\ncluster zz\nnode zz\n", String(repeating: "x", count: 10_000),
            ]
        )
        func damaged(text: String) throws {
            let folder = try TemporaryFolder()
            _ = try folder.write(Array(text.utf8), to: NodeNumber.fileName)
            #expect(throws: DAGStoreError.self) {
                try NodeNumber(in: .init(folder.url.path), of: Self.cluster)
            }
        }
    }
#endif
