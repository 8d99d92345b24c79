#if Cluster
    internal import DAGStorage
    internal import ObjectStorage

    extension ClusterFacts {
        /// Opens the place where the cluster keeps the bytes of blobs; no request is sent.
        ///
        /// - Throws: `invalidConfiguration` if this build cannot reach it, or the environment is malformed;
        ///   `invalidArgument` if the URL is malformed.
        func byteStore(_ database: ClusterDatabase) throws -> any BlobBytes {
            guard !objects.isEmpty else { return DatabaseBytes(database: database) }
            #if Node
                return try s3Bytes(database)
            #else
                throw DAGStoreError(
                    .invalidConfiguration,
                    "the cluster keeps its bytes in \(objects), and this program was built without the trait Node, "
                        + "which reaches it",
                    advice:
                        "use a program built with 'make release' or 'swift build --traits Node,Cluster'"
                )
            #endif
        }

        /// Checks that this program can write, list, read and delete bytes where the cluster shall keep them.
        ///
        /// - Throws: `invalidConfiguration`, `invalidArgument`, `catalogFull`, `catalogUnreachable`.
        func checkByteStore(_ database: ClusterDatabase) async throws {
            // What makes the tables also writes rows.
            guard !objects.isEmpty else { return }
            #if Node
                let bytes = try s3Bytes(database)
                try await bytes.check()
                try await bytes.mark()
            #else
                _ = try byteStore(database)
            #endif
        }

        #if Node
            private func s3Bytes(_ database: ClusterDatabase) throws -> S3Bytes {
                let folder = try ObjectFolder(objects)
                let settings: S3Settings
                do {
                    settings = try S3Settings.usual(database.variable)
                } catch {
                    throw DAGStoreError(error, "open \(objects)")
                }
                var configuration = ClientConfiguration()
                // The environment names the server, and no record from elsewhere does.
                configuration.targets = .local
                // Bytes take longer than rows.
                configuration.retries.deadline = database.patience * 3
                return S3Bytes(
                    folder,
                    of: id,
                    in: S3Bucket(folder.bucket, settings, ObjectClient(configuration))
                )
            }
        #endif
    }
#endif
