#if Node
    internal import NIOCore

    extension ObjectClient {
        /// Reads a whole object, or a range of it, in its order.
        ///
        /// After a failure the stream goes on where it ended: by a range, or, if the server sends no parts, by reading
        /// the same version again and skipping the bytes that were delivered.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - stat: The properties of the version.
        ///   - kind: The work that the requests belong to.
        ///   - range: The range, inside an object that is known to be sent in parts; nil for the whole object.
        ///   - deliver: Takes the next bytes; while it waits, the server waits too.
        /// - Throws: `.sourceChanged`; `.rangeRefused` if the server sends the whole object in place of a range; the
        ///   error of `deliver`.
        package func stream(
            _ target: ObjectTarget,
            of stat: ObjectStat,
            _ kind: RequestClass = .fetch,
            range: Range<UInt64>? = nil,
            deliver: ([UInt8]) async throws -> Void
        ) async throws {
            let first = range?.lowerBound ?? 0
            let end = range?.upperBound ?? stat.size
            var delivered: UInt64 = 0
            if end == first { return }
            try await perform(
                target,
                kind,
                plan: {
                    var headers = stat.version.conditions
                    if range != nil || (delivered > 0 && stat.ranges != .refused), let end {
                        headers.append(Self.rangeField(first + delivered..<end))
                    }
                    return RequestPlan(method: .get, headers: headers)
                },
                progress: { delivered }
            ) { answer in
                if range != nil, answer.status == 200 {
                    throw answer.error(.rangeRefused, "the server sends no parts of the object")
                }
                var skipped = try await Self.checkedStart(
                    of: answer,
                    first + delivered,
                    end: end,
                    stat
                )
                let size = end.map { $0 - (first + delivered - skipped) } ?? answer.size
                try await answer.body(exactly: size) { part in
                    var part = part
                    let count = Int(min(skipped, UInt64(part.readableBytes)))
                    part.moveReaderIndex(forwardBy: count)
                    skipped -= UInt64(count)
                    guard part.readableBytes > 0 else { return }
                    try await deliver(Array(part.readableBytesView))
                    delivered += UInt64(part.readableBytes)
                }
            }
        }

        /// Checks the response to a request for the bytes from `delivered` to `end`.
        ///
        /// - Returns: The number of bytes at the start of the body that were delivered already.
        private static func checkedStart(
            of answer: Answer,
            _ delivered: UInt64,
            end: UInt64?,
            _ stat: ObjectStat
        ) async throws -> UInt64 {
            guard answer.status == 206 || answer.status == 200 else { throw await answer.failure() }
            try answer.checkCoding()
            guard !stat.version.contradicts(answer.version) else {
                throw answer.error(.sourceChanged, "the object was replaced")
            }
            guard answer.status == 206 else {
                guard stat.size == nil || answer.size == nil || answer.size == stat.size else {
                    throw answer.error(.sourceChanged, "the object has another size")
                }
                // Without a strong tag on both sides, the bytes may be another version's.
                let isSame = stat.version.tag != nil && stat.version.tag == answer.version.tag
                guard delivered == 0 || isSame else {
                    throw answer.error(.sourceChanged, "the object cannot be read on")
                }
                return delivered
            }
            let range = answer.header("Content-Range").flatMap(ContentRange.init)
            guard range?.range?.lowerBound == delivered, range?.range?.upperBound == end else {
                throw answer.error(.malformedResponse, "the response has another range")
            }
            guard range?.size == nil || stat.size == nil || range?.size == stat.size else {
                throw answer.error(.sourceChanged, "the object has another size")
            }
            return 0
        }
    }
#endif
