#if Node
    internal import NIOCore

    extension ObjectClient {
        /// The largest range that one read returns, in bytes.
        package static let rangeSizeMax = 1 << 26

        /// Returns the properties of an object.
        ///
        /// Sends `HEAD`; if the server refuses it or leaves the size out, reads one byte instead.
        package func stat(
            _ target: ObjectTarget,
            _ kind: RequestClass = .read
        ) async throws -> ObjectStat {
            let found = try await perform(target, kind, plan: { RequestPlan(method: .head) }) {
                answer -> ObjectStat? in
                switch answer.status {
                case 200, 206:
                    try await answer.finish()
                    try answer.checkCoding()
                    return ObjectStat(
                        size: answer.size,
                        version: answer.version,
                        ranges: answer.refusesRanges ? .refused : .unproven
                    )
                // S3's answer to `HEAD` has no body, and the one to `GET` says why.
                case 400, 401, 403, 405, 501: return nil
                default: throw await answer.failure()
                }
            }
            if let found, found.size != nil { return found }
            return try await probe(target, size: 1, kind).stat
        }

        /// Reads the first bytes of an object, and finds out whether the server sends parts.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - size: The number of bytes to ask for; at least 1.
        ///   - kind: The work that the request belongs to.
        /// - Returns: The properties and the bytes; no bytes if the server does not send parts.
        /// - Throws: `ObjectStorageError`, `CancellationError`.
        package func probe(
            _ target: ObjectTarget,
            size: Int,
            _ kind: RequestClass
        ) async throws -> (stat: ObjectStat, bytes: [UInt8]) {
            precondition(size > 0)
            let plan = RequestPlan(method: .get, headers: [Self.rangeField(0..<UInt64(size))])
            return try await perform(target, kind, plan: { plan }) { answer in
                try answer.checkCoding()
                switch answer.status {
                case 200:
                    let stat = ObjectStat(
                        size: answer.size,
                        version: answer.version,
                        ranges: .refused
                    )
                    return (stat, [])
                case 206:
                    let (range, whole) = try Self.range(of: answer, asked: 0..<UInt64(size))
                    var bytes: [UInt8] = []
                    try await answer.body(exactly: UInt64(range.count)) {
                        bytes += $0.readableBytesView
                    }
                    let stat = ObjectStat(size: whole, version: answer.version, ranges: .proven)
                    return (stat, bytes)
                case 416:
                    guard answer.header("Content-Range").flatMap(ContentRange.init)?.size == 0
                    else { throw answer.error(.malformedResponse, "the first byte is refused") }
                    let stat = ObjectStat(size: 0, version: answer.version, ranges: .proven)
                    return (stat, [])
                default: throw await answer.failure()
                }
            }
        }

        /// Reads a range of one version of an object.
        ///
        /// An attempt that ends early is continued where it ended, under the same version.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - stat: The properties of the version.
        ///   - kind: The work that the request belongs to.
        ///   - range: Returns the range; called once, when the first request has its slot. The range lies in the
        ///     object, is not empty, and has at most `rangeSizeMax` bytes. An error ends the read.
        /// - Returns: All bytes of the range.
        /// - Throws: `.sourceChanged` if the object has another version or size now; `.rangeRefused` if the server
        ///   sends the whole object.
        package func read(
            _ target: ObjectTarget,
            of stat: ObjectStat,
            _ kind: RequestClass,
            range: () throws -> Range<UInt64>
        ) async throws -> [UInt8] {
            var asked: Range<UInt64>?
            var bytes: [UInt8] = []
            func rest() throws -> Range<UInt64> {
                let whole = try asked ?? range()
                precondition(!whole.isEmpty && whole.count <= Self.rangeSizeMax)
                asked = whole
                return whole.lowerBound + UInt64(bytes.count)..<whole.upperBound
            }
            repeat {
                var part: Range<UInt64> = 0..<0
                try await perform(
                    target,
                    kind,
                    plan: {
                        part = try rest()
                        let headers = [Self.rangeField(part)] + stat.version.conditions
                        return RequestPlan(method: .get, headers: headers)
                    },
                    progress: { UInt64(bytes.count) }
                ) { answer in
                    let range = try await Self.checkedRange(of: answer, asked: part, stat)
                    bytes.reserveCapacity(bytes.count + part.count)
                    try await answer.body(exactly: UInt64(range.count)) {
                        bytes += $0.readableBytesView
                    }
                }
                // A server may send less than it was asked for, but at least one byte.
            } while try !rest().isEmpty
            return bytes
        }

        // MARK: Ranges

        static func rangeField(_ range: Range<UInt64>) -> HeaderField {
            HeaderField("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        }

        /// Checks a response to a request for `asked`.
        ///
        /// - Returns: The range that the body has.
        private static func checkedRange(
            of answer: Answer,
            asked: Range<UInt64>,
            _ stat: ObjectStat
        ) async throws -> Range<UInt64> {
            guard answer.status == 206 || answer.status == 200 else { throw await answer.failure() }
            try answer.checkCoding()
            guard !stat.version.contradicts(answer.version) else {
                throw answer.error(.sourceChanged, "the object was replaced")
            }
            guard answer.status == 206 else {
                guard answer.size == nil || stat.size == nil || answer.size == stat.size else {
                    throw answer.error(.sourceChanged, "the object has another size")
                }
                throw answer.error(.rangeRefused, "the server sends no parts of the object")
            }
            let (range, whole) = try range(of: answer, asked: asked)
            guard whole == nil || stat.size == nil || whole == stat.size else {
                throw answer.error(.sourceChanged, "the object has another size")
            }
            return range
        }

        /// Returns the range of a partial response, and the size of the whole object if the server says it.
        static func range(
            of answer: Answer,
            asked: Range<UInt64>
        ) throws -> (Range<UInt64>, UInt64?) {
            guard let value = answer.header("Content-Range").flatMap(ContentRange.init),
                let range = value.range
            else { throw answer.error(.malformedResponse, "the response names no range") }
            guard range.lowerBound == asked.lowerBound, range.upperBound <= asked.upperBound,
                answer.size == nil || answer.size == UInt64(range.count)
            else { throw answer.error(.malformedResponse, "the response has another range") }
            return (range, value.size)
        }
    }
#endif
