#if Cluster
    package import DAGStorage

    /// A thing that a check of a cluster found.
    package struct ClusterFinding: Sendable, Equatable {
        /// How bad a finding is.
        package enum Severity: String, Sendable {
            /// Something is lost or contradicts itself.
            case error
            /// Something is on its way, or needs an operator.
            case warning
            /// Something that nodes settle by themselves.
            case info
        }

        /// The kinds of findings.
        package enum Kind: String, Sendable, CaseIterable {
            /// A row of the database cannot be read.
            case row
            /// A number was given to two things, or will be: the database is an older copy.
            case numbers
            /// The cluster lacks the bundle of a shard.
            case bundleMissing
            /// The bytes of a bundle end too early.
            case bundleShort
            /// The bytes of a bundle have another SHA-256 than its name.
            case bundleDamaged
            /// A bundle contradicts the row of its shard.
            case bundleMismatch
            /// No node could index a shard.
            case shardFailed
            /// No node shall hold an available shard.
            case unplaced
            /// Fewer nodes hold a shard than the cluster wants.
            case fewCopies
            /// A copy waits for its node, which cannot make it.
            case copyFails
            /// A placement names a node that the cluster does not know.
            case placementNode
            /// A placement names a shard that does not exist.
            case placementShard
            /// A node has two placements of one shard.
            case duplicatePlacement
            /// A node that holds a shard has ended, or is silent.
            case holderAway
            /// A node is silent.
            case nodeSilent
            /// The lease of a job ran out, and no node takes the job.
            case jobStuck
            /// A job is about a shard that does not exist.
            case jobShard
            /// A registered shard has no job that indexes it.
            case jobMissing
            /// The cluster lacks the bytes of a run.
            case runMissing
            /// A run has chunks after the end of its bytes.
            case runShort
            /// A chunk of a run is damaged.
            case runDamaged
            /// The entries of a damaged run are being written again.
            case runRebuilding
            /// The partitions of the inverse index are not those of the cluster.
            case partition
            /// A shard's entries are in no run.
            case entriesMissing
            /// A partition has more merged runs than a look-up should read.
            case manyRuns
            /// So many runs wait for a merge that publications wait.
            case manyWaiting
            /// No row names the bytes; the next sweep deletes them.
            case unnamed
            /// Bytes were to be deleted long ago.
            case dying
            /// A node does not answer.
            case nodeUnreachable
            /// A node lacks a shard that it holds by the database.
            case nodeLacks
            /// A node cannot read a shard that it holds.
            case nodeFails
            /// The store lacks a shard that its node holds by the database.
            case storeLacks
            /// The store has a shard with another index, mount or state than the database says.
            case storeDiffers
            /// The store has a shard that the database does not place on its node.
            case storeExtra

            /// How bad it is.
            package var severity: Severity {
                switch self {
                case .unnamed, .storeExtra: .info
                case .fewCopies, .copyFails, .holderAway, .nodeSilent, .jobStuck, .runRebuilding,
                    .manyRuns, .manyWaiting, .dying, .nodeUnreachable, .nodeFails, .shardFailed:
                    .warning
                default: .error
                }
            }
        }

        /// The kind.
        package let kind: Kind
        /// The shard, if it is about one.
        package var key: ShardKey?
        /// The number of the node, if it is about one.
        package var node: [UInt8]?
        /// The name of the bytes, if it is about some.
        package var blob: String?
        /// What is wrong, and what to do.
        package let detail: String

        init(
            _ kind: Kind,
            _ detail: String,
            key: ShardKey? = nil,
            node: [UInt8]? = nil,
            blob: [UInt8]? = nil
        ) {
            self.kind = kind
            self.key = key
            self.node = node
            self.blob = blob.map(\.hexadecimal)
            self.detail = detail
        }
    }

    /// The counts of a check.
    package struct ClusterCheckTotals: Sendable, Equatable {
        /// The number of shards.
        package var shardCount = 0
        /// The number of placements.
        package var placementCount = 0
        /// The number of jobs.
        package var jobCount = 0
        /// The number of runs.
        package var runCount = 0
        /// The number of blobs.
        package var blobCount = 0
        /// The bytes of blobs that were read.
        package var readSize: UInt64 = 0
        /// The number of answers of nodes.
        package var answerCount = 0
        /// The number of shards of a store that were compared.
        package var comparedCount = 0
        /// The number of findings of each severity.
        package var findings: [ClusterFinding.Severity: Int] = [:]

        /// Whether there is neither an error nor a warning.
        package var isSound: Bool { findings[.error] == nil && findings[.warning] == nil }
    }

    /// The answer of a node to the question whether it serves a shard.
    package enum NodeAnswer: Sendable, Equatable {
        /// It serves the shard.
        case holds
        /// It does not have the shard.
        case lacks
        /// It has the shard, and cannot read it.
        case fails(String)
        /// It did not answer.
        case silent(String)
    }
#endif
