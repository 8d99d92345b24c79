#if Node
    internal import GatewayRequests
    internal import HTTPTypes

    /// A request's method, the parts of its path, and its query.
    struct AdminRoute: Sendable {
        let method: HTTPRequest.Method
        /// The decoded parts of the path; nil if an escape is malformed.
        let path: [String]?
        /// The decoded names and values; nil if an escape is malformed.
        let query: [(name: String, value: String)]?

        init(_ head: HTTPRequest) {
            // A HEAD is answered as its GET.
            method = head.method == .head ? .get : head.method
            let target = head.path ?? "/"
            let parts = target.split(
                separator: "?",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            path = Self.all(
                parts[0].split(separator: "/", omittingEmptySubsequences: true).map {
                    PercentCoding.decoded(Array($0.utf8)[...])
                }
            )
            let pairs = parts.count == 1 ? [] : parts[1].split(separator: "&")
            query = Self.all(
                pairs.map { pair in
                    let halves = pair.split(
                        separator: "=",
                        maxSplits: 1,
                        omittingEmptySubsequences: false
                    )
                    let value = Array((halves.count == 1 ? "" : halves[1]).utf8)
                    guard let name = PercentCoding.decoded(Array(halves[0].utf8)[...]),
                        let value = PercentCoding.decoded(value[...], plusIsSpace: true)
                    else { return nil }
                    return (name, value)
                }
            )
        }

        /// Whether the answer holds no data.
        var isPublic: Bool {
            guard method == .get, let path else { return false }
            return path.isEmpty || path == ["openapi.json"] || path == ["favicon.ico"]
        }

        private static func all<Value>(_ values: [Value?]) -> [Value]? {
            let found = values.compactMap(\.self)
            return found.count == values.count ? found : nil
        }
    }
#endif
