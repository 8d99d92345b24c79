#if Cluster
    internal import DAGBytes
    internal import DAGHashing

    /// Chooses the nodes of a shard so that a change of the nodes moves few shards.
    ///
    /// Each node has a score for each shard, and the nodes with the highest scores get it. A node that comes takes its
    /// share from all others, and the shards of one that goes are spread over the others.
    ///
    /// *Source*: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous"; the weights as in Schindelhauer
    /// and Schomaker, "Weighted Distributed Hash Tables".
    enum Rendezvous {
        /// A node that may be chosen.
        struct Candidate: Sendable, Equatable {
            /// The node's number.
            let id: [UInt8]
            /// Its share, relative to the others.
            let capacity: Int
        }

        /// Returns the nodes of a shard, best first.
        ///
        /// *Cost*: a hash and a logarithm for each candidate.
        ///
        /// - Parameters:
        ///   - shard: The shard's number.
        ///   - count: The number of copies.
        ///   - candidates: The nodes.
        /// - Returns: At most `count` nodes.
        static func nodes(for shard: UInt32, count: Int, of candidates: [Candidate]) -> [[UInt8]] {
            let scored = candidates.map { (score: score(of: shard, $0), id: $0.id) }
            let sorted = scored.sorted { one, other in
                one.score == other.score
                    ? one.id.lexicographicallyPrecedes(other.id) : one.score > other.score
            }
            return sorted.prefix(count).map(\.id)
        }

        /// The key of the hash: all programs choose alike, so it never changes.
        private static let hash = KeyedHash(key: (0x6461_6773_746f_7265, 0x706c_6163_656d_656e))

        private static func score(of shard: UInt32, _ node: Candidate) -> Double {
            let bytes = node.id + (0..<4).map { UInt8(truncatingIfNeeded: shard >> (8 * $0)) }
            let high = bytes.withView { hash.hash($0).high }
            // A number between 0 and 1, without both ends: its logarithm is negative and finite.
            let uniform = (Double(high >> 12) + 0.5) / Double(UInt64(1) << 52)
            return -Double(node.capacity) / Logarithm.natural(of: uniform)
        }
    }

    /// The natural logarithm, the same on every machine.
    ///
    /// The functions of C libraries differ in the last digit, and two nodes that differ would move shards for ever.
    enum Logarithm {
        /// Returns the logarithm of a positive finite number, with an error of some 1e-15.
        static func natural(of number: Double) -> Double {
            precondition(number > 0 && number.isFinite, "a logarithm of zero, or of less")
            // number = mantissa * 2^exponent, and the mantissa lies around 1.
            var mantissa = number.significand
            var exponent = Double(number.exponent)
            if mantissa > 1.414_213_562_373_095 {
                mantissa /= 2
                exponent += 1
            }
            // ln m = 2 artanh((m - 1) / (m + 1)), a series whose terms fall by 34 each.
            let ratio = (mantissa - 1) / (mantissa + 1)
            let square = ratio * ratio
            var term = ratio
            var sum = 0.0
            for odd in stride(from: 1.0, through: 31.0, by: 2.0) {
                sum += term / odd
                term *= square
            }
            return 2 * sum + exponent * 0.693_147_180_559_945_3
        }
    }
#endif
