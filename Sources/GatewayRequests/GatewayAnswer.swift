/// The head of an answer, and which bytes of the representation follow it.
package struct GatewayAnswer: Sendable, Equatable {
    /// The status code.
    package var status: Int
    /// The fields beside `GatewayField.always`.
    package var fields: [GatewayField]
    /// The bytes to send, of the whole representation; nil if the body is empty or its size is unknown.
    package var body: Range<UInt64>?
    /// The text to send in place of content; nil for an answer that is no refusal.
    package var text: String?

    /// Creates an answer.
    package init(
        status: Int,
        fields: [GatewayField],
        body: Range<UInt64>?,
        text: String? = nil
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.text = text
    }

    /// The answer to `OPTIONS`, for any target.
    static let options = GatewayAnswer(
        status: 204,
        fields: [.methods, GatewayField(.maxAge, "86400")],
        body: nil
    )
}

/// The fields of a request that decide between the representation, a part of it, and none.
package struct RequestConditions: Sendable, Equatable {
    /// What the client has already.
    package var isNoneOf: TagCondition?
    /// The part that the client wants; nil for all.
    package var range: ByteRange?
    /// The value of `If-Range`; nil if the field is not there.
    package var ifRange: String?

    /// Reads the fields of a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - allowsRanges: Whether the representation is sent in parts. `HEAD` never asks for a part: RFC 9110, section
    ///     14.2.
    init(_ request: GatewayRequest, allowsRanges: Bool) {
        isNoneOf = request.ifNoneMatch.flatMap { TagCondition(field: $0) }
        guard allowsRanges, request.method == .get else { return }
        range = request.range.flatMap { ByteRange(field: $0) }
        ifRange = request.ifRange
    }

    /// Whether the client has the representation of `tag`.
    package func hasClient(_ tag: EntityTag) -> Bool { isNoneOf?.includes(tag) ?? false }

    /// Returns the answer that a representation of known size gets.
    ///
    /// - Parameters:
    ///   - size: The size of the representation in bytes.
    ///   - tag: Its tag.
    ///   - common: The fields that the statuses 200, 206 and 304 share.
    ///   - content: The further fields of 200 and 206.
    /// - Returns: The answer.
    func answer(
        size: UInt64,
        tag: EntityTag,
        common: [GatewayField],
        content: [GatewayField]
    ) -> GatewayAnswer {
        guard !hasClient(tag) else {
            return GatewayAnswer(status: 304, fields: common, body: nil)
        }
        guard let range, ifRange == nil || !tag.isWeak && ifRange == tag.description else {
            let length = GatewayField(.contentLength, String(size))
            return GatewayAnswer(status: 200, fields: common + content + [length], body: 0..<size)
        }
        switch range.selection(of: size) {
        case .unsatisfiable:
            let refusal = GatewayRefusal(
                416,
                "The range lies outside the \(size) bytes",
                fields: [GatewayField(.contentRange, "bytes */\(size)")]
            )
            return refusal.answer
        case .part(let part):
            let parted = [
                GatewayField(
                    .contentRange,
                    "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
                ),
                GatewayField(.contentLength, String(part.count)),
            ]
            return GatewayAnswer(status: 206, fields: common + content + parted, body: part)
        }
    }
}
