#if Node
    internal import AsyncHTTPClient
    internal import NIOCore
    internal import NIOHTTP1

    /// The response to a request, whose body is not read yet.
    struct Answer {
        /// The largest error body that is read, in bytes.
        static let errorBodyMax = 16_384

        private let response: HTTPClientResponse
        private let target: ObjectTarget
        private let configuration: ClientConfiguration
        private let isHead: Bool

        init(
            _ response: HTTPClientResponse,
            _ target: ObjectTarget,
            _ configuration: ClientConfiguration,
            isHead: Bool
        ) {
            self.response = response
            self.target = target
            self.configuration = configuration
            self.isHead = isHead
        }

        /// The status.
        var status: UInt { response.status.code }

        /// Returns a header's value; nil if it is missing.
        ///
        /// NIO limits each header to 80 KiB.
        func header(_ name: String) -> String? { response.headers.first(name: name) }

        /// The value of `Location`, if the status is a redirect; nil otherwise.
        var redirect: String? {
            [301, 302, 303, 307, 308].contains(status) ? header("Location") : nil
        }

        /// The validators.
        var version: ObjectVersion {
            ObjectVersion(tag: header("ETag"), lastModified: header("Last-Modified"))
        }

        /// The announced size of the body; nil if there is none.
        var size: UInt64? {
            header("Content-Length").flatMap { ContentRange.number($0.utf8) }
        }

        /// Whether the server says that it sends no parts.
        var refusesRanges: Bool { header("Accept-Ranges")?.lowercased() == "none" }

        /// Checks that the body is the object's own bytes.
        ///
        /// - Throws: `.malformedResponse`.
        func checkCoding() throws {
            let coding = header("Content-Encoding")?.lowercased() ?? "identity"
            guard coding == "identity" || coding.isEmpty else {
                throw error(.malformedResponse, "the server codes the body although it must not")
            }
        }

        // MARK: Bodies

        /// Calls `deliver` with each part of the body.
        ///
        /// - Parameters:
        ///   - size: The number of bytes that must come; nil if it is unknown.
        ///   - deliver: Takes a part.
        /// - Throws: `.truncated`, `.overlong`, `.timedOut`; the error of `deliver`.
        func body(
            exactly size: UInt64?,
            _ deliver: (ByteBuffer) async throws -> Void
        ) async throws {
            let clock = ContinuousClock()
            // Without the time that `deliver` takes.
            var spent = Duration.zero
            var meter = ProgressMeter(
                window: configuration.progressWindow,
                bytesMin: configuration.progressBytesMin,
                at: .zero
            )
            var count: UInt64 = 0
            var iterator = response.body.makeAsyncIterator()
            while true {
                let start = clock.now
                guard let part = try await next(&iterator) else { break }
                spent += start.duration(to: clock.now)
                count += UInt64(part.readableBytes)
                target.counters.count { $0.bytes += UInt64(part.readableBytes) }
                guard count <= size ?? .max else {
                    throw error(.overlong, "more bytes came than were announced")
                }
                guard meter.record(part.readableBytes, at: spent) else {
                    throw error(.timedOut, "the server is too slow")
                }
                try await deliver(part)
            }
            guard count == size ?? count else {
                throw error(.truncated, "\(count) bytes came of \(size ?? 0)")
            }
        }

        private func next(
            _ iterator: inout HTTPClientResponse.Body.AsyncIterator
        ) async throws -> ByteBuffer? {
            do {
                return try await iterator.next()
            } catch {
                throw ObjectClient.translated(error, target, isInBody: true)
            }
        }

        /// Reads the end of a response without a body, so that the connection can be used again.
        func finish() async throws {
            try await body(exactly: 0) { _ in }
        }

        /// Reads a small body.
        ///
        /// - Throws: `.overlong` if it has more than `limit` bytes; the errors of `body(exactly:_:)`.
        func smallBody(limit: Int) async throws -> [UInt8] {
            var bytes: [UInt8] = []
            try await body(exactly: size) { part in
                guard bytes.count + part.readableBytes <= limit else {
                    throw error(.overlong, "the body has more than \(limit) bytes")
                }
                bytes += part.readableBytesView
            }
            return bytes
        }

        // MARK: Errors

        /// Creates an error that names the object.
        func error(_ code: ObjectStorageError.Code, _ problem: String) -> ObjectStorageError {
            ObjectStorageError(code, "request: \(target.name): \(problem)")
        }

        /// Returns the error for a status that the request did not expect.
        func failure() async -> ObjectStorageError {
            let code = await serviceCode()
            let text = "the server answers \(status)" + (code.map { " (\($0))" } ?? "")
            let expired = ["ExpiredToken", "TokenRefreshRequired", "RequestExpired"]
            if let code, expired.contains(code) {
                return error(.credentialsExpired, text + "; renew the credentials")
            }
            let full = ["QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"]
            if status == 507 || (status >= 400 && code.map(full.contains) ?? false) {
                return error(.full, text + "; the store is full")
            }
            switch status {
            case 401, 403: return error(.accessDenied, text + "; check the credentials")
            case 404 where code == "NoSuchBucket": return error(.noBucket, text)
            case 404, 410: return error(.notFound, text)
            case 408: return error(.timedOut, text)
            case 412, 416: return error(.sourceChanged, text)
            case 429: return waiting(.throttled, text)
            case 503 where code == "SlowDown": return waiting(.throttled, text)
            case 500, 502, 503, 504: return waiting(.unavailable, text)
            case 200..<300: return error(.malformedResponse, text)
            default: return error(.rejected, text)
            }
        }

        private func waiting(
            _ code: ObjectStorageError.Code,
            _ text: String
        ) -> ObjectStorageError {
            let pause = RetryPolicy.retryAfter(header("Retry-After"), date: header("Date"))
            let error = error(code, text)
            return ObjectStorageError(code, error.detail, retryAfter: pause)
        }

        /// Returns the code in the body of an S3 error; nil if there is none.
        private func serviceCode() async -> String? {
            guard !isHead, status >= 400, header("Content-Type")?.contains("xml") ?? false,
                size ?? 0 <= UInt64(Self.errorBodyMax)
            else { return nil }
            // The status alone is an error too, so a body that fails says nothing more.
            let bytes = try? await smallBody(limit: Self.errorBodyMax)
            return bytes.flatMap { S3ErrorCode.find(in: $0) }
        }
    }
#endif
