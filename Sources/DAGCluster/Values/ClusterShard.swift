#if Cluster
    package import DAGMounts
    package import DAGStorage
    internal import PostgreSQL

    /// A shard of a cluster, as the database knows it.
    package struct ClusterShard: Sendable, Equatable {
        /// The states of a shard.
        package enum State: Int64, Sendable, CaseIterable {
            /// Some node will index it.
            case registered = 0
            /// It has a bundle, and nodes may serve it.
            case available = 1
            /// No node could index it.
            case failed = 2

            /// The word for people and JSON.
            package var name: String { String(describing: self) }
        }

        /// The number in the cluster, which no other shard ever gets.
        package let number: UInt32
        /// The key.
        package let key: ShardKey
        /// The URL of the mount.
        package let mountURL: String
        /// What stays on a node of the bytes.
        package let policy: MountPolicy
        /// The one node that reaches the mount; nil if all nodes do.
        package let reach: [UInt8]?
        /// The state.
        package let state: State
        /// The number of changes of its mount and index.
        package let epoch: Int64
        /// The name of its bundle; nil before it is available.
        package let bundle: [UInt8]?
        /// The size of the bundle in bytes.
        package let bundleSize: UInt64
        /// The size of the CAR in bytes.
        package let sourceSize: UInt64
        /// The number of sections.
        package let blockCount: UInt64
        /// The number of different multihashes.
        package let multihashCount: UInt64
        /// The size of the payload in bytes.
        package let payloadSize: UInt64
        /// The code of the failure; nil if it is sound.
        package let errorCode: DAGStoreError.Code?
        /// The sentence of the failure.
        package let error: String

        /// The largest number of a shard: inverse entries have 32 bits, and the last number means a list.
        static let numberMax = Int(UInt32.max) - 1

        static let columns = """
            number, key, mount, policy, reach, state, epoch, bundle, bundle_size, source_size,
            blocks, multihashes, bytes, error_code, error
            """

        /// Reads the columns of `ClusterShard.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible: other programs may have written the row.
        init(_ rows: Rows, _ row: Int) throws {
            number = UInt32(try rows.count(row, 0, 0...Self.numberMax))
            let text = try rows.text(row, 1)
            do {
                key = try ShardKey(text)
            } catch {
                throw Self.impossible("key")
            }
            mountURL = try rows.text(row, 2)
            guard let policy = MountPolicy(number: try rows.integer(row, 3)) else {
                throw Self.impossible("policy")
            }
            self.policy = policy
            reach = try rows.optionalBytes(row, 4)
            guard let state = State(rawValue: try rows.integer(row, 5)) else {
                throw Self.impossible("state")
            }
            self.state = state
            epoch = try rows.integer(row, 6)
            bundle = try rows.optionalBytes(row, 7)
            bundleSize = UInt64(try rows.count(row, 8))
            sourceSize = UInt64(try rows.count(row, 9))
            blockCount = UInt64(try rows.count(row, 10))
            multihashCount = UInt64(try rows.count(row, 11))
            payloadSize = UInt64(try rows.count(row, 12))
            let code = Int32(exactly: try rows.integer(row, 13)) ?? 0
            errorCode = code == 0 ? nil : DAGStoreError.Code(rawValue: code) ?? .shardFailed
            error = try rows.text(row, 14)
        }

        private static func impossible(_ column: String) -> DAGStoreError {
            DAGStoreError(.catalogCorrupt, "the database has an impossible \(column) of a shard")
        }
    }

    extension MountPolicy {
        /// All policies, by their number in the database.
        private static let numbered: [MountPolicy] = [.automatic, .remote, .cache, .copy]

        /// The number in the database.
        var number: Int64 { Int64(Self.numbered.firstIndex(of: self) ?? 0) }

        /// The policy with a number; nil if there is none.
        init?(number: Int64) {
            guard let index = Int(exactly: number), Self.numbered.indices.contains(index) else {
                return nil
            }
            self = Self.numbered[index]
        }
    }

    /// A copy of a shard on a node, wanted or present.
    package struct Placement: Sendable, Equatable {
        /// The states of a placement.
        package enum State: Int64, Sendable, CaseIterable {
            /// The node shall import the shard.
            case wanted = 0
            /// The node serves the shard.
            case held = 1
            /// The node shall destroy its copy.
            case dropped = 2
            /// The node indexes the shard, whose publication makes this a copy.
            case indexing = 3

            /// The word for people and JSON.
            package var name: String { String(describing: self) }
        }

        /// The node.
        package let node: [UInt8]
        /// The shard.
        package let shard: UInt32
        /// The key of the shard, also after the shard was destroyed.
        package let key: ShardKey
        /// The URL of the mount when the placement was made.
        package let mountURL: String
        /// The state.
        package let state: State
        /// The sentence of the last failure; empty if there was none.
        package let error: String

        static let columns = "node, shard, key, mount, state, error"

        /// Reads the columns of `Placement.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible.
        init(_ rows: Rows, _ row: Int) throws {
            node = try rows.bytes(row, 0)
            shard = UInt32(try rows.count(row, 1, 0...ClusterShard.numberMax))
            guard let key = try? ShardKey(rows.text(row, 2)),
                let state = State(rawValue: try rows.integer(row, 4))
            else {
                throw DAGStoreError(.catalogCorrupt, "the database has an impossible placement")
            }
            self.key = key
            self.state = state
            mountURL = try rows.text(row, 3)
            error = try rows.text(row, 5)
        }
    }
#endif
