#if Node
    internal import NIOCore

    extension ObjectClient {
        /// Reads a whole object, or a range of it, in its order.
        ///
        /// After a failure the stream goes on where it ended: by a range, or, if the server sends no parts, by reading
        /// the same version again and skipping the bytes that were delivered. If the server sends a part of a range,
        /// the stream asks for the rest.
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
            repeat {
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
                    var (skipped, size) = try await Self.checkedBody(
                        of: answer,
                        first + delivered,
                        end: end,
                        stat
                    )
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
                // A server may send less than it was asked for, but at least one byte.
            } while end.map { first + delivered < $0 } ?? false
        }

        /// Checks the response to a request for the bytes from `delivered` to `end`.
        ///
        /// - Returns: The number of bytes at the start of the body that were delivered already, and the size of the
        ///   body; nil if no side knows it.
        private static func checkedBody(
            of answer: Answer,
            _ delivered: UInt64,
            end: UInt64?,
            _ stat: ObjectStat
        ) async throws -> (skipped: UInt64, size: UInt64?) {
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
                    throw answer.error(
                        .truncated,
                        "the transfer was cut, and without parts and a strong tag it cannot go on"
                    )
                }
                return (delivered, end ?? answer.size)
            }
            guard let end else {
                throw answer.error(.malformedResponse, "a part came that was not asked for")
            }
            let (range, whole) = try range(of: answer, asked: delivered..<end)
            guard whole == nil || stat.size == nil || whole == stat.size else {
                throw answer.error(.sourceChanged, "the object has another size")
            }
            return (0, UInt64(range.count))
        }
    }
#endif
