#if Cluster
    internal import DAGBytes
    internal import DAGHashing
    internal import DAGStorage
    internal import ShardIndex

    /// The bytes of bundles.
    extension ClusterChecker {
        /// The bytes of one read.
        private static let readSize: UInt64 = 4 << 20

        /// Checks that a bundle has all its bytes, and, if asked, that they are the right ones.
        func check(
            _ bundle: NamedBundle,
            _ totals: inout ClusterCheckTotals
        ) async throws -> [ClusterFinding] {
            let blob = bundle.blob
            guard readsBytes else {
                let size = try await blobs.bytes.size(of: blob.name, blob.incarnation)
                guard size < blob.size, try await isCurrent(blob) else { return [] }
                return [
                    finding(
                        .bundleShort,
                        "\(size) of \(blob.size) bytes of the bundle are stored",
                        bundle
                    )
                ]
            }
            var hash = SHA256Stream()
            var first: [UInt8] = []
            var start: UInt64 = 0
            while start < blob.size {
                try Task.checkCancellation()
                let end = min(blob.size, start + Self.readSize)
                let bytes: [UInt8]
                do {
                    bytes = try await blobs.bytes(start..<end, of: blob)
                } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                    guard try await isCurrent(blob) else { return [] }
                    return [finding(.bundleShort, "bytes of the bundle are missing", bundle)]
                }
                totals.readSize += UInt64(bytes.count)
                bytes.withView { hash.update($0) }
                if start == 0 { first = bytes }
                start = end
            }
            guard hash.finish() == blob.name.bytes else {
                guard try await isCurrent(blob) else { return [] }
                return [finding(.bundleDamaged, "the bundle has other bytes than its name", bundle)]
            }
            return mismatch(first, bundle)
        }

        /// Whether the bytes of a blob are still those that the check looked at.
        private func isCurrent(_ blob: StoredBlob) async throws -> Bool {
            try await blobs.find(blob.name)?.incarnation == blob.incarnation
        }

        private func finding(
            _ kind: ClusterFinding.Kind,
            _ problem: String,
            _ bundle: NamedBundle
        ) -> ClusterFinding {
            ClusterFinding(
                kind,
                problem + "; holders serve on, and the next import lets a node make it again",
                key: bundle.shard.key,
                blob: bundle.blob.name.bytes
            )
        }

        /// Compares the header and the root page of a bundle with the row of its shard.
        private func mismatch(_ first: [UInt8], _ bundle: NamedBundle) -> [ClusterFinding] {
            let shard = bundle.shard
            let problem: String?
            do throws(ShardIndexError) {
                problem = try first.withView { view throws(ShardIndexError) -> String? in
                    let size = try IndexBundle.encodedSize(reading: view)
                    guard size <= view.count else { return nil }
                    let header = try IndexBundle(reading: view[0..<size])
                    if header.keyID != HashKey(self.facts.hashKey)?.id { return "another hash key" }
                    if header.sourceSize != shard.sourceSize {
                        return "\(header.sourceSize) bytes of source"
                    }
                    if header.bundleSize != shard.bundleSize { return "another size" }
                    // A root page beyond the first read belongs to an index of many gigabytes.
                    guard size + header.rootSize <= view.count else { return nil }
                    let root = try header.root(reading: view[size..<size + header.rootSize])
                    if root.sectionCount != shard.blockCount {
                        return "\(root.sectionCount) blocks"
                    }
                    if root.multihashCount != shard.multihashCount {
                        return "\(root.multihashCount) multihashes"
                    }
                    if root.payloadSize != shard.payloadSize {
                        return "\(root.payloadSize) bytes of payload"
                    }
                    return nil
                }
            } catch {
                problem = error.detail
            }
            guard let problem else { return [] }
            return [
                ClusterFinding(
                    .bundleMismatch,
                    "the bundle and the shard's row differ: the bundle has \(problem); destroy the "
                        + "shard and register it again",
                    key: shard.key,
                    blob: bundle.blob.name.bytes
                )
            ]
        }
    }
#endif
