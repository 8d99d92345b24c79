/// Why a gateway does not send what a request asks for.
package struct GatewayRefusal: Error, Sendable, Equatable {
    /// The status code: 400 or more, or 307 where another server has the content.
    package var status: Int
    /// A sentence for the client, without a full stop at its end.
    package var message: String
    /// The fields beside `GatewayField.always` and those of the text.
    package var fields: [GatewayField]

    /// Creates a refusal.
    package init(_ status: Int, _ message: String, fields: [GatewayField] = []) {
        self.status = status
        self.message = message
        self.fields = fields
    }

    /// The answer that sends a client to another server.
    ///
    /// - Parameters:
    ///   - server: The URL of the server; a slash at its end does not count.
    ///   - target: The target of the request, in origin form or absolute form.
    /// - Returns: The answer; nil if the URL has characters that a field may not have, or the target is malformed.
    package static func redirection(to server: String, _ target: String) -> GatewayRefusal? {
        let base = server.hasSuffix("/") ? String(server.dropLast()) : server
        guard let read = try? RequestTarget(target) else { return nil }
        let location = base + read.path + (read.query.map { "?\($0)" } ?? "")
        guard base.hasPrefix("http://") || base.hasPrefix("https://"),
            location.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        return GatewayRefusal(
            307,
            "Another node has the content",
            fields: [GatewayField(.location, location)]
        )
    }

    static func malformed(_ message: String) -> GatewayRefusal { GatewayRefusal(400, message) }

    /// The body: one line of text.
    ///
    /// The message may quote the request, so line ends and control characters become `?`.
    package var text: String {
        var line = String.UnicodeScalarView()
        for scalar in message.unicodeScalars.prefix(Self.textSizeMax) {
            line.append(scalar.value < 0x20 || scalar.value == 0x7f ? "?" : scalar)
        }
        return "\(String(line))\n"
    }

    /// The longest message that a client gets, in Unicode scalars.
    package static let textSizeMax = 500

    /// The head of the answer.
    package var answer: GatewayAnswer {
        let text = text
        var all = [
            GatewayField(.contentType, "text/plain; charset=utf-8"),
            GatewayField(.cacheControl, "no-store"),
            GatewayField(.contentLength, String(text.utf8.count)),
        ]
        all += fields
        return GatewayAnswer(status: status, fields: all, body: nil, text: text)
    }
}
