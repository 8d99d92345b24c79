#if Node
    #if canImport(FoundationEssentials)
        internal import FoundationEssentials
    #else
        internal import Foundation
    #endif
    internal import DAGBytes
    internal import DAGHashing

    /// The status page: one file without requests elsewhere.
    ///
    /// Its policy lets a browser run the page's own script and style, which it knows by their hashes, and nothing else.
    enum StatusPage {
        /// The answer with the page.
        static var reply: AdminReply {
            var reply = AdminReply(type: "text/html; charset=utf-8", PackageResources.status_html)
            for (name, value) in fields { reply.add(name, value) }
            return reply
        }

        private static let fields = [
            ("Content-Security-Policy", policy), ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ]

        /// Source: W3C, "Content Security Policy Level 3".
        static let policy: String = {
            let parts = [
                "default-src 'none'", "style-src '\(hash(of: "style"))'",
                "script-src '\(hash(of: "script"))'", "connect-src 'self'", "img-src data:",
                "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
                "require-trusted-types-for 'script'", "trusted-types 'none'",
            ]
            return parts.joined(separator: "; ")
        }()

        /// Returns the hash of the one element with a name.
        private static func hash(of name: String) -> String {
            let page = PackageResources.status_html
            guard let start = page.firstRange(of: Array("<\(name)>".utf8)),
                let end = page[start.upperBound...].firstRange(of: Array("</\(name)>".utf8))
            else { preconditionFailure("the page has no element \(name)") }
            let content = Array(page[start.upperBound..<end.lowerBound])
            // The number of SHA-256 in the table of multihashes.
            guard let digest = content.withView({ BlockHash.digest(0x12, of: $0) }) else {
                preconditionFailure("SHA-256 is always there")
            }
            return "sha256-\(Data(digest).base64EncodedString())"
        }
    }

    /// The description of the interface for programs.
    enum OpenAPI {
        /// The answer with the document.
        static var reply: AdminReply {
            AdminReply(type: "application/json", PackageResources.openapi_json)
        }
    }
#endif
