#if Cluster && Node
    internal import DAGBytes
    internal import DAGStorage
    internal import ObjectStorage

    /// Bytes of blobs in objects of an S3 store; see `ObjectFolder`.
    ///
    /// *Concurrency*: any thread or task.
    struct S3Bytes: BlobBytes {
        private let folder: ObjectFolder
        private let cluster: [UInt8]
        private let bucket: S3Bucket

        /// The most objects that one call of `deleteSome` deletes: 256 MiB.
        private static let deletedMax = 64
        /// The deletions that run at once.
        private static let deletionsAtOnce = 8

        /// Creates a store; no request is sent.
        init(_ folder: ObjectFolder, of cluster: [UInt8], in bucket: S3Bucket) {
            self.folder = folder
            self.cluster = cluster
            self.bucket = bucket
        }

        func put(_ pieces: [BlobPiece], of blob: BlobName, _ incarnation: Int64) async throws {
            guard let start = pieces.first?.start else { return }
            let bytes = pieces.flatMap(\.bytes)
            precondition(
                start.isMultiple(of: ObjectFolder.partSize)
                    && bytes.count <= ObjectFolder.partSize,
                "pieces that are no object"
            )
            let key = folder.key(of: cluster, blob, incarnation, start: start)
            try await translating("write bytes to") { try await bucket.put(bytes, as: key) }
        }

        func bytes(
            _ range: Range<UInt64>,
            of blob: BlobName,
            _ incarnation: Int64
        ) async throws -> [UInt8] {
            var found: [UInt8] = []
            var next = range.lowerBound
            while next < range.upperBound {
                let start = next - next % ObjectFolder.partSize
                let end = min(range.upperBound, start + ObjectFolder.partSize)
                let key = folder.key(of: cluster, blob, incarnation, start: start)
                let asked = next - start..<end - start
                let bytes = try await translating("read bytes from") {
                    try await bucket.bytes(asked, of: key) ?? []
                }
                found += bytes
                next += UInt64(bytes.count)
                // An object that is gone or short ends the bytes.
                guard next == end else { break }
            }
            return found
        }

        func size(of blob: BlobName, _ incarnation: Int64) async throws -> UInt64 {
            let prefix = folder.key(of: cluster, blob, incarnation)
            var sizes: [UInt64: UInt64] = [:]
            var position: String?
            repeat {
                let list = try await self.list(prefix, after: position)
                for entry in list.entries {
                    guard let part = folder.part(entry.key, of: cluster) else { continue }
                    sizes[part.start] = entry.size
                }
                position = list.next
            } while position != nil
            var size: UInt64 = 0
            while let next = sizes[size] {
                guard next == ObjectFolder.partSize else {
                    return size + min(next, ObjectFolder.partSize)
                }
                size += next
            }
            return size
        }

        func deleteSome(of blob: BlobName, _ incarnation: Int64) async throws -> Bool {
            let prefix = folder.key(of: cluster, blob, incarnation)
            let list = try await self.list(prefix, limit: Self.deletedMax)
            let keys = list.entries.map(\.key).filter { folder.part($0, of: cluster) != nil }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, key) in keys.enumerated() {
                    if number >= Self.deletionsAtOnce { try await group.next() }
                    group.addTask {
                        try await translating("delete bytes from") { try await bucket.delete(key) }
                    }
                }
                try await group.waitForAll()
            }
            // Objects of others under the prefix stay, and no call would ever delete them.
            return list.next == nil || keys.isEmpty
        }

        func uploads(
            olderThan grace: Duration,
            after position: String?
        ) async throws -> StoredUploads {
            let list = try await self.list(folder.key(of: cluster), after: position)
            var found = StoredUploads(uploads: [], next: list.next)
            for entry in list.entries {
                guard let part = folder.part(entry.key, of: cluster), let now = list.date,
                    let time = entry.lastModified, .seconds(now.seconds - time.seconds) >= grace
                else { continue }
                found.add(part.blob, part.incarnation, size: entry.size)
            }
            return found
        }

        /// Checks that this program can write, list, read and delete objects in the folder.
        ///
        /// - Throws: `invalidConfiguration` if a right, the bucket or the credentials are missing; `catalogFull`,
        ///   `catalogUnreachable`.
        func check() async throws {
            let blob = try BlobName(Array(randomBytes: BlobName.size))
            let bytes = Array(randomBytes: 64)
            try await put([BlobPiece(start: 0, bytes: bytes)], of: blob, 1)
            let isSound: Bool
            do {
                let size = try await size(of: blob, 1)
                let part = try await self.bytes(10..<20, of: blob, 1)
                _ = try await deleteSome(of: blob, 1)
                let rest = try await self.bytes(0..<64, of: blob, 1)
                isSound = size == 64 && part == Array(bytes[10..<20]) && rest.isEmpty
            } catch {
                // No row names the object, and perhaps no cluster will ever sweep it.
                try? await bucket.delete(folder.key(of: cluster, blob, 1, start: 0))
                throw error
            }
            guard isSound else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "\(folder.url): the store does not list, return or delete an object as it was written",
                    advice: "use a store that lists and reads an object as soon as it has stored it"
                )
            }
        }

        /// Writes the object that tells this store from another one with the same bucket.
        func mark() async throws {
            let mark = Array(cluster.hexadecimal.utf8)
            try await translating("write bytes to") {
                try await bucket.put(mark, as: folder.markKey(of: cluster))
            }
        }

        func placeFault() async throws -> DAGStoreError? {
            let mark = try await translating("read bytes from") {
                try await bucket.bytes(0..<64, of: folder.markKey(of: cluster))
            }
            if mark == Array(cluster.hexadecimal.utf8) { return nil }
            return DAGStoreError(
                .invalidConfiguration,
                "\(folder.url) lacks the object \(folder.markKey(of: cluster)), which the cluster wrote when it "
                    + "was made",
                advice: "correct AWS_ENDPOINT_URL_S3: it names another store"
            )
        }

        private func list(
            _ prefix: String,
            after position: String? = nil,
            limit: Int = S3Listing.countMax
        ) async throws -> S3Listing {
            try await translating("list bytes in") {
                try await bucket.list(prefix, after: position, limit: limit)
            }
        }

        /// Runs `body`, and converts its errors.
        private func translating<R>(
            _ verb: String,
            _ body: () async throws -> R
        ) async throws -> R {
            do {
                return try await body()
            } catch let error as ObjectStorageError {
                throw DAGStoreError(error, "\(verb) \(folder.url)")
            }
        }
    }

    extension DAGStoreError {
        /// Converts an error of an object store.
        init(_ error: ObjectStorageError, _ doing: String) {
            let text = "\(doing): \(error.detail) (\(error.code.rawValue))"
            switch error.code {
            case .accessDenied, .credentialsExpired, .noCredentials:
                self.init(.invalidConfiguration, text)
                advice =
                    "give the user of the credentials the rights to read, write, delete and list there"
            case .noBucket:
                self.init(.invalidConfiguration, text)
                advice = "make the bucket, or correct AWS_ENDPOINT_URL_S3"
            case .malformedURL, .targetRefused:
                self.init(.invalidConfiguration, text)
                advice = "correct AWS_ENDPOINT_URL_S3 and AWS_REGION"
            case .full:
                self.init(.catalogFull, text)
                advice = "make room in the object store"
            case .notFound, .tooManyRedirects, .throttled, .unavailable, .unreachable, .timedOut,
                .truncated, .overlong, .sourceChanged, .rangeRefused, .malformedResponse, .rejected,
                .limitExceeded:
                self.init(.catalogUnreachable, text)
                advice = "make the object store of the cluster reachable"
            }
        }
    }
#endif
