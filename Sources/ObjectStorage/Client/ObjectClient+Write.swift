#if Node
    internal import NIOCore

    extension ObjectClient {
        /// Stores an object, in place of one with the same name.
        ///
        /// *Cost*: the SHA-256 of the bytes, and their copy for each attempt.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - bytes: The bytes; a few MiB, because they stay in memory.
        ///   - kind: The work that the request belongs to.
        /// - Throws: `.full`; `ObjectStorageError`, `CancellationError`.
        package func put(
            _ target: ObjectTarget,
            _ bytes: [UInt8],
            _ kind: RequestClass
        ) async throws {
            let hash = HeaderField(S3Authorizer.payloadHashName, SHA256.hexadecimal(bytes))
            let plan = RequestPlan(method: .put, headers: [hash], body: bytes)
            try await perform(target, kind, plan: { plan }) { answer in
                guard (200..<300).contains(answer.status) else { throw await answer.failure() }
                _ = try await answer.smallBody(limit: Answer.errorBodyMax)
            }
        }

        /// Deletes an object; one that is not there counts as deleted.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - kind: The work that the request belongs to.
        /// - Throws: `ObjectStorageError`, `CancellationError`.
        package func delete(_ target: ObjectTarget, _ kind: RequestClass) async throws {
            do {
                try await perform(target, kind, plan: { RequestPlan(method: .delete) }) { answer in
                    guard (200..<300).contains(answer.status) else { throw await answer.failure() }
                    _ = try await answer.smallBody(limit: Answer.errorBodyMax)
                }
            } catch let error as ObjectStorageError where error.code == .notFound {
                return
            }
        }

        /// Reads a range of an object, whatever its version.
        ///
        /// - Parameters:
        ///   - range: The range; not empty, and at most `rangeSizeMax` bytes.
        ///   - target: The object, which never changes.
        ///   - kind: The work that the request belongs to.
        /// - Returns: The bytes of the range; fewer at the end of the object.
        /// - Throws: `.rangeRefused` if the server sends the whole object; `ObjectStorageError`, `CancellationError`.
        package func bytes(
            _ range: Range<UInt64>,
            of target: ObjectTarget,
            _ kind: RequestClass
        ) async throws -> [UInt8] {
            precondition(!range.isEmpty && range.count <= Self.rangeSizeMax)
            var bytes: [UInt8] = []
            var end = range.upperBound
            while range.lowerBound + UInt64(bytes.count) < end {
                let asked = range.lowerBound + UInt64(bytes.count)..<end
                let plan = RequestPlan(method: .get, headers: [Self.rangeField(asked)])
                let (part, size) = try await perform(target, kind, plan: { plan }) { answer in
                    try await Self.part(of: answer, asked)
                }
                bytes += part
                // A server may send less than it was asked for, but at least one byte.
                guard !part.isEmpty else { break }
                end = min(end, size ?? end)
            }
            return bytes
        }

        /// Reads a partial response.
        ///
        /// - Returns: The bytes, none if the object ends before them; the size of the object if the server says it.
        private static func part(
            of answer: Answer,
            _ asked: Range<UInt64>
        ) async throws -> ([UInt8], UInt64?) {
            switch answer.status {
            case 206:
                try answer.checkCoding()
                let (range, size) = try range(of: answer, asked: asked)
                var bytes: [UInt8] = []
                bytes.reserveCapacity(range.count)
                try await answer.body(exactly: UInt64(range.count)) {
                    bytes += $0.readableBytesView
                }
                return (bytes, size)
            case 200:
                throw answer.error(.rangeRefused, "the server sends no parts of the object")
            case 416:
                _ = try await answer.smallBody(limit: Answer.errorBodyMax)
                return ([], nil)
            default: throw await answer.failure()
            }
        }

        /// Lists some objects.
        ///
        /// - Parameters:
        ///   - target: The URL of the list.
        ///   - kind: The work that the request belongs to.
        /// - Returns: The list.
        /// - Throws: `.malformedResponse`, `.overlong`; `ObjectStorageError`, `CancellationError`.
        func list(_ target: ObjectTarget, _ kind: RequestClass) async throws -> S3Listing {
            try await perform(target, kind, plan: { RequestPlan(method: .get) }) { answer in
                guard answer.status == 200 else { throw await answer.failure() }
                try answer.checkCoding()
                let bytes = try await answer.smallBody(limit: S3Listing.sizeMax)
                return try S3Listing(
                    bytes,
                    date: answer.header("Date").flatMap(UTCTime.init(httpDate:))
                )
            }
        }
    }
#endif
