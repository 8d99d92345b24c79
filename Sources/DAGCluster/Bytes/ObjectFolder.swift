#if Cluster
    internal import DAGStorage
    internal import ObjectStorage

    /// The folder of an object store that has the bytes of a cluster: `s3://bucket/prefix`.
    ///
    /// *Shape*: the bytes of an upload are the objects `prefix/CLUSTER/BLOB/INCARNATION/START`. `CLUSTER` and `BLOB`
    /// are numbers in hexadecimal digits, `INCARNATION` is a decimal number, and `START` is the offset of the object's
    /// bytes in 16 hexadecimal digits. Each object but the last has `partSize` bytes.
    ///
    /// So an offset leads to its object without a look at any list, a look-up reads just the bytes of a chunk, and an
    /// upload that was interrupted is a list of objects like any other. A multipart upload would make one object, but
    /// it needs a number that only the uploader knows, and its parts are invisible until its end.
    struct ObjectFolder: Sendable, Equatable {
        /// The size of an object in bytes; readers depend on it, so it never changes.
        static let partSize: UInt64 = 4 << 20
        /// The largest prefix in bytes, so that all keys fit into S3's 1024.
        private static let prefixSizeMax = 512
        private static let startDigitCount = 16

        /// The bucket.
        let bucket: String
        /// The prefix, with a slash at its end unless it is empty.
        private let prefix: String

        /// Parses a URL.
        ///
        /// - Throws: `invalidArgument`.
        init(_ url: String) throws(DAGStoreError) {
            var url = url[...]
            while url.hasSuffix("/"), url.utf8.count > "s3://".utf8.count { url = url.dropLast() }
            let location: S3Location
            do {
                // A key is what a bucket alone lacks.
                location = try S3Location(url + "/x")
            } catch {
                throw DAGStoreError(
                    .invalidArgument,
                    "\(url): \(error.detail)",
                    advice: "name a folder of a bucket, such as s3://bucket/cluster"
                )
            }
            bucket = location.bucket
            prefix = String(location.key.dropLast())
            guard prefix.utf8.count <= Self.prefixSizeMax, !prefix.hasPrefix("/") else {
                throw DAGStoreError(
                    .invalidArgument,
                    "\(url): its prefix begins with a slash, or has more than \(Self.prefixSizeMax) bytes"
                )
            }
        }

        /// The URL, without a slash at its end.
        var url: String { "s3://\(bucket)/\(prefix)".dropLastSlash }

        // MARK: Keys

        /// The beginning of the keys of all objects of a cluster.
        func key(of cluster: [UInt8]) -> String { "\(prefix)\(cluster.hexadecimal)/" }

        /// The key of the object that a cluster writes when it is made.
        func markKey(of cluster: [UInt8]) -> String { "\(key(of: cluster))cluster" }

        /// The beginning of the keys of all objects of an upload.
        func key(of cluster: [UInt8], _ blob: BlobName, _ incarnation: Int64) -> String {
            "\(key(of: cluster))\(blob)/\(incarnation)/"
        }

        /// The key of the object that begins at an offset.
        func key(
            of cluster: [UInt8],
            _ blob: BlobName,
            _ incarnation: Int64,
            start: UInt64
        ) -> String {
            let digits = String(start, radix: 16)
            let zeros = String(repeating: "0", count: Self.startDigitCount - digits.utf8.count)
            return key(of: cluster, blob, incarnation) + zeros + digits
        }

        /// An object that a key names.
        struct Part: Equatable {
            let blob: BlobName
            let incarnation: Int64
            let start: UInt64
        }

        /// Parses a key; nil for one that this program does not write.
        func part(_ key: String, of cluster: [UInt8]) -> Part? {
            let prefix = self.key(of: cluster)
            guard key.hasPrefix(prefix) else { return nil }
            let words = key.utf8.dropFirst(prefix.utf8.count)
                .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard words.count == 3, let blob = BlobName(hexadecimal: words[0]),
                let incarnation = Int64(String(decoding: words[1], as: UTF8.self)),
                (1...Blobs.incarnationMax).contains(incarnation),
                words[2].count == Self.startDigitCount,
                let start = UInt64(String(decoding: words[2], as: UTF8.self), radix: 16),
                // Other spellings of the same numbers are not this program's.
                self.key(of: cluster, blob, incarnation, start: start) == key
            else { return nil }
            return Part(blob: blob, incarnation: incarnation, start: start)
        }
    }

    extension String {
        fileprivate var dropLastSlash: String { hasSuffix("/") ? String(dropLast()) : self }
    }
#endif
