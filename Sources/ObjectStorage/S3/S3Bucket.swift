#if Node
    /// A bucket of an S3 store, for objects that this program writes.
    ///
    /// *Errors*: `ObjectStorageError`, or `CancellationError` if the task was canceled.
    ///
    /// *Concurrency*: any task.
    package struct S3Bucket: Sendable {
        private let name: String
        private let settings: S3Settings
        private let client: ObjectClient

        /// Creates a bucket.
        ///
        /// - Parameters:
        ///   - name: The name.
        ///   - settings: The server and the credentials.
        ///   - client: The connections.
        package init(_ name: String, _ settings: S3Settings, _ client: ObjectClient) {
            self.name = name
            self.settings = settings
            self.client = client
        }

        /// The requests and bytes of the client.
        package var counters: TransferCounters.Values { client.counters.values }

        /// Stores an object of a few MiB, in place of one with the same key.
        ///
        /// - Throws: `.full`, `.accessDenied`, `.noBucket`, and the errors of a connection.
        package func put(_ bytes: [UInt8], as key: String) async throws {
            try await client.put(target(key), bytes, .fetch)
        }

        /// Returns bytes of an object; nil if the object is not there, and fewer at its end.
        ///
        /// - Throws: `.accessDenied`, `.noBucket`, and the errors of a connection.
        package func bytes(_ range: Range<UInt64>, of key: String) async throws -> [UInt8]? {
            do {
                return try await client.bytes(range, of: target(key), .read)
            } catch let error as ObjectStorageError where error.code == .notFound {
                return nil
            }
        }

        /// Deletes an object; one that is not there counts as deleted.
        ///
        /// - Throws: `.accessDenied`, `.noBucket`, and the errors of a connection.
        package func delete(_ key: String) async throws {
            try await client.delete(target(key), .fetch)
        }

        /// Lists the objects whose keys begin with a prefix, some at a time.
        ///
        /// - Parameters:
        ///   - prefix: The prefix; not empty.
        ///   - token: The `next` of the list before; nil for the first one.
        ///   - limit: The most objects, 1 to `S3Listing.countMax`.
        /// - Returns: The list.
        /// - Throws: `.accessDenied`, `.noBucket`, `.malformedResponse`, and the errors of a connection.
        package func list(
            _ prefix: String,
            after token: String? = nil,
            limit: Int = S3Listing.countMax
        ) async throws -> S3Listing {
            precondition((1...S3Listing.countMax).contains(limit))
            let location = try S3Location("s3://\(name)/\(prefix)")
            let url = settings.endpoint.url(listing: location, after: token, limit: limit)
            let list = try await client.list(target(url, "\(location)"), .fetch)
            guard list.next == nil || list.next != token else {
                throw FlatXML.malformed("the list goes on at the same place")
            }
            return list
        }

        private func target(_ key: String) throws(ObjectStorageError) -> ObjectTarget {
            let location = try S3Location("s3://\(name)/\(key)")
            return target(settings.endpoint.url(of: location), "\(location)")
        }

        private func target(_ url: ObjectURL, _ name: String) -> ObjectTarget {
            ObjectTarget(
                url,
                authorizer: S3Authorizer(
                    region: settings.endpoint.region,
                    chain: settings.chain,
                    now: S3Settings.now
                ),
                counters: TransferCounters(parent: client.counters),
                name: name
            )
        }
    }
#endif
