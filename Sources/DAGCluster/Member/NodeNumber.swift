#if Cluster
    package import DAGStorage
    internal import DAGSystem
    package import SystemPackage

    /// The number of a node and of its cluster, in a file of the store's folder.
    ///
    /// ```
    /// dagstore cluster 1
    /// cluster 0123456789abcdef0123456789abcdef
    /// node fedcba9876543210fedcba9876543210
    /// ```
    package struct NodeNumber: Sendable, Equatable {
        /// The cluster.
        package let cluster: [UInt8]
        /// The node.
        package let node: [UInt8]

        /// The name of the file in the store's folder.
        package static let fileName = "CLUSTER"
        private static let firstLine = "dagstore cluster 1"
        private static let sizeMax = 4 << 10

        /// Reads the file of a store; makes it if the store is in no cluster yet.
        ///
        /// - Parameters:
        ///   - directory: The store's folder.
        ///   - cluster: The number of the cluster.
        /// - Throws: `invalidArgument` if the store belongs to another cluster; `catalogCorrupt` if the file is
        ///   damaged; `readOnly`.
        package init(in directory: FilePath, of cluster: [UInt8]) throws(DAGStoreError) {
            guard let present = try Self(in: directory) else {
                self.init(cluster: cluster, node: Array(randomBytes: 16))
                try write(to: directory)
                return
            }
            guard present.cluster == cluster else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the store in \(directory) belongs to the cluster "
                        + "\(present.cluster.hexadecimal), not to \(cluster.hexadecimal)",
                    advice: "give --cluster the database of that cluster, or --store another folder"
                )
            }
            self = present
        }

        private init(cluster: [UInt8], node: [UInt8]) {
            self.cluster = cluster
            self.node = node
        }

        /// Reads the file of a store; nil if there is none.
        ///
        /// - Throws: `catalogCorrupt` if the file is damaged; `readOnly` if it cannot be read.
        package init?(in directory: FilePath) throws(DAGStoreError) {
            let path = directory.appending(Self.fileName)
            let bytes: [UInt8]
            do {
                bytes = try FileSystem.contents(of: path, sizeMax: Self.sizeMax)
            } catch {
                guard error != .noSuchFileOrDirectory else { return nil }
                throw DAGStoreError(.readOnly, "\(path): \(error)")
            }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let cluster = lines.count == 3 ? Self.number(lines[1], after: "cluster ") : nil
            let node = lines.count == 3 ? Self.number(lines[2], after: "node ") : nil
            guard lines.first == Self.firstLine[...], let cluster, let node else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "\(path) is damaged",
                    advice: "remove the file; the node then joins as a new one"
                )
            }
            self.init(cluster: cluster, node: node)
        }

        private static func number(_ line: Substring, after word: String) -> [UInt8]? {
            guard line.hasPrefix(word) else { return nil }
            return Array(hexadecimal: String(line.dropFirst(word.count)), count: 16)
        }

        private func write(to directory: FilePath) throws(DAGStoreError) {
            let text = """
                \(Self.firstLine)
                cluster \(cluster.hexadecimal)
                node \(node.hexadecimal)

                """
            let path = directory.appending(Self.fileName)
            do {
                try FileSystem.replace(path, with: Array(text.utf8), permissions: .ownerReadWrite)
                // A node that lost its number in a crash would join as another one.
                try FileSystem.synchronizeIfPossible(directory: directory)
            } catch {
                throw DAGStoreError(.readOnly, "\(path): \(error)")
            }
        }
    }

    extension Array<UInt8> {
        /// Reads hexadecimal digits; nil for other characters, and for another number of bytes.
        package init?(hexadecimal text: String, count: Int) {
            let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 2 * count, !digits.contains(nil) else { return nil }
            let values = digits.compactMap(\.self)
            self = stride(from: 0, to: values.count, by: 2).map {
                UInt8(values[$0] * 16 + values[$0 + 1])
            }
        }
    }
#endif
