#if Node && Cluster
    package import DAGMultiformats
    package import DAGStorage
    internal import ObjectStorage

    /// Reads blocks from the nodes that hold them, over HTTP.
    ///
    /// Each block is hashed, so no node needs to be trusted. The requests ask for what a node has itself, so two nodes
    /// that lack a block never ask each other without end.
    ///
    /// *Concurrency*: any thread or task; at most 16 requests at once to a node.
    package final class ClusterReader: Sendable {
        private let guide: ClusterGuide
        private let client: ObjectClient

        /// The largest block in bytes; a larger one counts as damaged.
        private static let blockSizeMax: UInt64 = 32 << 20
        /// The time that a node has for a block.
        private static let answerTime = Duration.seconds(30)
        private static let fields = FixedFields([
            HeaderField("Accept", "application/vnd.ipld.raw"),
            HeaderField("Cache-Control", "only-if-cached"),
        ])

        /// Creates a reader.
        ///
        /// - Parameter guide: Knows which nodes hold a block.
        package init(_ guide: ClusterGuide) {
            self.guide = guide
            var configuration = ClientConfiguration()
            configuration.redirectsMax = 0
            // The nodes of a cluster are where the database says, also in private networks.
            configuration.targets = .local
            configuration.connectTimeout = .seconds(5)
            configuration.retries.attemptsMax = 2
            configuration.retries.deadline = Self.answerTime
            client = ObjectClient(configuration)
        }

        /// Returns blocks, in the order of their CIDs; nil for each that no node has.
        ///
        /// - Throws: The errors of `block(for:)`.
        package func blocks(for cids: [CID]) async throws -> [Block?] {
            guard cids.count > 1 else { return [try await block(for: cids[0])] }
            return try await withThrowingTaskGroup(of: (Int, Block?).self) { group in
                for (index, cid) in cids.enumerated() {
                    group.addTask { (index, try await self.block(for: cid)) }
                }
                var blocks = [Block?](repeating: nil, count: cids.count)
                for try await (index, block) in group { blocks[index] = block }
                return blocks
            }
        }

        /// Returns a block; nil if no node has it, or the node of the guide holds it.
        ///
        /// - Throws: `catalogUnreachable` if the database or the nodes that hold it are away; `hashMismatch` if they
        ///   have other bytes; `unsupportedHash` if nothing can be proven by the CID; `catalogCorrupt`.
        package func block(for cid: CID) async throws -> Block? {
            var failure: DAGStoreError?
            for url in try await guide.urls(ofBlock: cid.multihash).shuffled() {
                do {
                    return try Block(cid: cid, verifying: await bytes(of: cid, at: url))
                } catch let error as ObjectStorageError {
                    // Status 404 and 412: the inverse index has 48 bits of each hash.
                    guard ![.notFound, .sourceChanged].contains(error.code) else { continue }
                    failure = DAGStoreError(
                        .catalogUnreachable,
                        "the node \(url) does not send the block \(cid.briefText): \(error.detail)"
                    )
                } catch let error as DAGStoreError {
                    failure = error
                }
            }
            if let failure { throw failure }
            return nil
        }

        private func bytes(of cid: CID, at url: String) async throws -> [UInt8] {
            let base = url.hasSuffix("/") ? String(url.dropLast()) : url
            let target = ObjectTarget(
                try ObjectURL("\(base)/ipfs/\(cid)?format=raw"),
                authorizer: Self.fields,
                counters: client.counters
            )
            return try await client.bytes(0..<Self.blockSizeMax, of: target, .read)
        }
    }
#endif
