#if Cluster
    internal import DAGHashing
    package import DAGStorage
    internal import PostgreSQL

    /// The facts of a cluster that never change.
    package struct ClusterFacts: Sendable, Equatable {
        /// The number of the cluster: 16 random bytes.
        package let id: [UInt8]
        /// The key of the hashes of digests in all indexes of the cluster: 16 bytes.
        package let hashKey: [UInt8]
        /// The number of nodes that hold each shard.
        package let copies: Int
        /// The inverse index has 2 to this power partitions.
        package let partitionBits: Int
        /// The URL of the folder in an object store that has the bytes; empty if the database has them.
        package let objects: String

        /// The most copies of a shard.
        package static let copiesMax = 16
        /// The largest number of bits of a partition.
        package static let partitionBitsMax = 12

        /// Creates the facts of a new cluster.
        ///
        /// - Throws: `invalidArgument` if a number is out of range, or the URL is malformed.
        package init(
            copies: Int,
            partitionBits: Int = 4,
            objects: String = "",
            hashKey: [UInt8]? = nil
        ) throws(DAGStoreError) {
            guard (1...Self.copiesMax).contains(copies) else {
                throw DAGStoreError(
                    .invalidArgument,
                    "\(copies) copies; a cluster keeps 1 to \(Self.copiesMax) of a shard"
                )
            }
            guard (0...Self.partitionBitsMax).contains(partitionBits) else {
                throw DAGStoreError(
                    .invalidArgument,
                    "2^\(partitionBits) partitions; an inverse index has at most 2^12"
                )
            }
            id = Array(randomBytes: 16)
            self.hashKey = hashKey ?? Array(randomBytes: 16)
            self.copies = copies
            self.partitionBits = partitionBits
            self.objects = objects.isEmpty ? "" : try ObjectFolder(objects).url
        }

        /// Reads the columns of `ClusterFacts.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible.
        init(_ rows: Rows, _ row: Int = 0) throws {
            id = try rows.bytes(row, 0)
            hashKey = try rows.bytes(row, 1)
            copies = try rows.count(row, 2, 1...Self.copiesMax)
            partitionBits = try rows.count(row, 3, 0...Self.partitionBitsMax)
            objects = try rows.text(row, 4)
            guard id.count == 16, hashKey.count == 16 else {
                throw DAGStoreError(.catalogCorrupt, "the row of the cluster is impossible")
            }
        }

        static let columns = "id, hash_key, copies, partition_bits, objects"
    }

    extension Rows {
        /// Returns a number in a range.
        ///
        /// - Throws: `catalogCorrupt` if it lies outside, so that no later arithmetic overflows.
        func count(_ row: Int, _ column: Int, _ range: ClosedRange<Int> = 0...Int.max) throws -> Int
        {
            let number = try integer(row, column)
            guard let count = Int(exactly: number), range.contains(count) else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "the database has \(number) where a number from \(range.lowerBound) to "
                        + "\(range.upperBound) belongs"
                )
            }
            return count
        }
    }
#endif
