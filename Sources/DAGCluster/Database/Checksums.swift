#if Cluster
    internal import DAGBytes
    internal import DAGHashing

    /// The hashes that name bytes.
    enum Checksums {
        /// The multihash code of SHA-256.
        private static let code: UInt64 = 0x12

        /// Returns the SHA-256 of bytes.
        static func sha256(_ bytes: [UInt8]) -> [UInt8] {
            guard let digest = bytes.withView({ BlockHash.digest(code, of: $0) }) else {
                preconditionFailure("this build lacks SHA-256")
            }
            return digest
        }
    }
#endif
