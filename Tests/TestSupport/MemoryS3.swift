#if Node
    internal import DAGBytes
    internal import DAGHashing
    internal import Synchronization

    /// A bucket in memory behind HTTP, with paths in front of the keys: `PUT`, `GET`, `DELETE` and lists.
    ///
    /// It checks who asks and the hash of what comes, but no signature.
    package final class MemoryS3: Sendable {
        package typealias Fault =
            @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply?

        private struct State {
            var objects: [String: [UInt8]] = [:]
            var fault: Fault?
        }

        /// The server, for its requests.
        package let server: ScriptedServer
        private let bucket: Bucket

        /// The name of the bucket.
        package static let bucket = "bucket"
        /// The access key of the one user.
        package static let accessKey = "AKTEST"
        /// The most objects of a list, so that tests see several.
        private static let listMax = 3

        /// The objects that handlers share.
        private final class Bucket: Sendable {
            let state = Mutex(State())
        }

        /// Starts a server with an empty bucket.
        package init() async throws {
            let bucket = Bucket()
            self.bucket = bucket
            server = try await ScriptedServer { Self.answer($0, bucket) }
        }

        /// The environment variables that lead to the bucket.
        package var variables: [String: String] {
            [
                "AWS_ENDPOINT_URL_S3": server.url, "AWS_ACCESS_KEY_ID": Self.accessKey,
                "AWS_SECRET_ACCESS_KEY": "SKTEST", "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_REGION": "us-east-1", "HOME": "/nonexistent",
            ]
        }

        private static func isMark(_ key: String) -> Bool { key.hasSuffix("/cluster") }

        /// The objects by their keys, without the marks of clusters.
        package var objects: [String: [UInt8]] {
            get { bucket.state.withLock { $0.objects }.filter { !Self.isMark($0.key) } }
            set {
                bucket.state.withLock { state in
                    let marks = state.objects.filter { Self.isMark($0.key) }
                    state.objects = newValue.merging(marks) { one, _ in one }
                }
            }
        }

        /// Lets a function answer requests first; nil ends that.
        package func setFault(_ fault: Fault?) {
            bucket.state.withLock { $0.fault = fault }
        }

        /// An answer with a code of S3.
        package static func failure(_ status: Int, _ code: String) -> ScriptedServer.Reply {
            let body = Array("<?xml version=\"1.0\"?><Error><Code>\(code)</Code></Error>".utf8)
            return ScriptedServer.Reply(status, [("Content-Type", "application/xml")], body: body)
        }

        private static func answer(
            _ request: ScriptedServer.Request,
            _ objects: Bucket
        ) -> ScriptedServer.Reply {
            if let fault = objects.state.withLock({ $0.fault }), let reply = fault(request) {
                return reply
            }
            let user = "Credential=\(accessKey)/"
            guard request.header("Authorization")?.contains(user) ?? false else {
                return failure(403, "InvalidAccessKeyId")
            }
            let hash = BlockHash.digest(0x12, of: request.body)
            guard hash == request.header("x-amz-content-sha256") else {
                return failure(400, "XAmzContentSHA256Mismatch")
            }
            let parts = request.target.split(separator: "?", maxSplits: 1)
            guard let path = parts.first, path.hasPrefix("/\(bucket)") else {
                return failure(404, "NoSuchBucket")
            }
            let key = String(path.dropFirst(bucket.utf8.count + 2))
            if key.isEmpty {
                let all = objects.state.withLock { $0.objects }
                return list(all, query: parts.count == 2 ? String(parts[1]) : "")
            }
            return objects.state.withLock { state in
                switch request.method {
                case "PUT":
                    state.objects[key] = request.body
                    return ScriptedServer.Reply(200)
                case "DELETE":
                    state.objects[key] = nil
                    return ScriptedServer.Reply(204)
                default:
                    guard let bytes = state.objects[key] else { return failure(404, "NoSuchKey") }
                    return ScriptedServer.serve(bytes, request)
                }
            }
        }

        private static func list(
            _ objects: [String: [UInt8]],
            query: String
        ) -> ScriptedServer.Reply {
            var fields: [String: String] = [:]
            for field in query.split(separator: "&") {
                let parts = field.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { continue }
                fields[String(parts[0])] = String(parts[1]).replacing("%2F", with: "/")
            }
            let prefix = fields["prefix"] ?? ""
            let limit = min(listMax, Int(fields["max-keys"] ?? "") ?? listMax)
            let token = fields["continuation-token"] ?? ""
            let keys = objects.keys.filter { $0.hasPrefix(prefix) && $0 > token }.sorted()
            let listed = keys.prefix(limit)
            var xml = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>"
            xml += "\(keys.count > limit)</IsTruncated>"
            for key in listed {
                xml += "<Contents><Key>\(key)</Key><LastModified>2020-01-01T00:00:00.000Z"
                xml += "</LastModified><Size>\(objects[key]?.count ?? 0)</Size></Contents>"
            }
            if keys.count > limit, let last = listed.last {
                xml += "<NextContinuationToken>\(last)</NextContinuationToken>"
            }
            xml += "</ListBucketResult>"
            let headers = [
                ("Content-Type", "application/xml"), ("Date", "Thu, 02 Jan 2020 00:00:00 GMT"),
            ]
            return ScriptedServer.Reply(200, headers, body: Array(xml.utf8))
        }
    }

    extension BlockHash {
        fileprivate static func digest(_ code: UInt64, of bytes: [UInt8]) -> String? {
            bytes.withView { view in digest(code, of: view).map { $0.withView { $0.hexadecimal } } }
        }
    }
#endif
