internal import DAGBytes
internal import DAGIPLD
internal import DAGMultiformats
internal import GatewayRequests

extension FuzzCheck {
    /// Plans the request that `input` describes: lines of text, see `gatewayRequest`.
    ///
    /// A plan is refused with a known status, or its answers have sound fields and repeat.
    static func checkGateway(_ input: ByteView) throws(Contradiction) {
        let request = gatewayRequest(input)
        let plan: GatewayPlan
        do throws(GatewayRefusal) {
            plan = try GatewayPlanner().plan(request)
        } catch {
            let known = [400, 404, 405, 406, 414]
            try require(known.contains(error.status), "status \(error.status)")
            try checkGatewayFields(error.answer)
            try require(error.text.utf8.count < 4096, "a long text")
            return
        }
        try checkGatewayPlan(plan, request)
    }

    /// Reads a request.
    ///
    /// ```
    /// line 0   the method: H, O and X stand for HEAD, OPTIONS and any other; GET otherwise
    /// line 1   the target
    /// line 2…  Accept, Cache-Control, If-None-Match, If-Range, Range; an empty line is no field
    /// ```
    private static func gatewayRequest(_ input: ByteView) -> GatewayRequest {
        var lines = input.copied.split(
            separator: UInt8(ascii: "\n"),
            maxSplits: 6,
            omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        lines += [String](repeating: "", count: 7 - lines.count)
        let method: GatewayRequest.Method =
            switch lines[0] {
            case "H": .head
            case "O": .options
            case "X": .other
            default: .get
            }
        func field(_ number: Int) -> String? { lines[number].isEmpty ? nil : lines[number] }
        return GatewayRequest(
            method,
            lines[1],
            accept: field(2),
            cacheControl: field(3),
            ifNoneMatch: field(4),
            ifRange: field(5),
            range: field(6)
        )
    }

    private static func checkGatewayPlan(
        _ plan: GatewayPlan,
        _ request: GatewayRequest
    ) throws(Contradiction) {
        switch plan {
        case .block(let block):
            for size in [0, 1, 31, 1 << 20, .max] as [UInt64] {
                try checkGatewayAnswer(block.answer(size: size), size, request)
            }
            try checkGatewayTag(block.tag, block.conditions, request)
        case .car(let car):
            try checkGatewayFields(car.answer)
            let isSegment = car.request.path.segments.allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0)
            }
            try require(isSegment, "a path of \(car.request.path.segments)")
            try require(
                car.request.entityBytes == nil || car.request.scope == .entity,
                "bytes of no entity"
            )
            try checkGatewayTag(car.tag, car.conditions, request)
        case .piece(let piece):
            for size in [0, 1, 31, .max] as [UInt64] {
                try checkGatewayAnswer(piece.answer(size: size, version: "v"), size, request)
            }
        case .options(let answer):
            try require(request.method == .options, "OPTIONS without being asked")
            try checkGatewayFields(answer)
        case .liveness, .readiness: break
        }
    }

    private static func checkGatewayAnswer(
        _ answer: GatewayAnswer,
        _ size: UInt64,
        _ request: GatewayRequest
    ) throws(Contradiction) {
        try checkGatewayFields(answer)
        let length = answer.fields.first { $0.name == .contentLength }?.value
        switch answer.status {
        case 200: try require(answer.body == 0..<size, "a whole that is a part")
        case 206:
            guard let body = answer.body else { throw Contradiction(description: "no part") }
            try require(!body.isEmpty && body.upperBound <= size, "a part outside: \(body)")
            try require(request.range != nil && request.method == .get, "a part unasked")
        case 304, 416: try require(answer.body == nil, "a body with status \(answer.status)")
        default: throw Contradiction(description: "status \(answer.status)")
        }
        if let body = answer.body {
            try require(length == "\(body.upperBound - body.lowerBound)", "a wrong length")
        }
    }

    /// A client that sends the tag back has the content, whatever else it sent.
    private static func checkGatewayTag(
        _ tag: EntityTag,
        _ conditions: RequestConditions,
        _ request: GatewayRequest
    ) throws(Contradiction) {
        var again = request
        again.ifNoneMatch = tag.description
        guard let plan = try? GatewayPlanner().plan(again) else {
            throw Contradiction(description: "refused with a tag")
        }
        switch plan {
        case .block(let block):
            try require(block.answer(size: 5).status == 304, "a tag that does not match itself")
        case .car(let car): try require(car.isKnown, "a tag that does not match itself")
        default: throw Contradiction(description: "another plan with a tag")
        }
    }

    private static func checkGatewayFields(_ answer: GatewayAnswer) throws(Contradiction) {
        for field in answer.fields + GatewayField.always {
            let isLine = field.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
            try require(isLine, "\(field.name): \(field.value)")
        }
        let names = Set(answer.fields.map(\.name))
        try require(names.count == answer.fields.count, "a field twice: \(answer.fields)")
    }
}
