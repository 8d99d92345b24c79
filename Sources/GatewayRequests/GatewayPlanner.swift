package import DAGIPLD
internal import DAGMultiformats

/// Turns requests into plans; it does no I/O.
///
/// ```
/// GET, HEAD   /ipfs/{cid}            a block, or a CAR
///             /ipfs/{cid}/{path}     a CAR
///             /piece/{key}           the CAR of a shard
///             /health/livez          200 while the process answers
///             /health/readyz         200 while the store can be read
/// OPTIONS     any                    204
/// ```
///
/// Source: IPFS Trustless Gateway specification; FRC-0066 for pieces.
package struct GatewayPlanner: Sendable {
    /// The limits of every walk.
    package var limits: DAGLimits

    /// Creates a planner.
    package init(limits: DAGLimits = DAGLimits()) { self.limits = limits }

    /// Returns the plan for a request.
    ///
    /// *Cost*: O(size of the target and of the fields); both have limits.
    ///
    /// - Throws: `GatewayRefusal` with status 400, 404, 405, 406 or 414.
    package func plan(_ request: GatewayRequest) throws(GatewayRefusal) -> GatewayPlan {
        switch request.method {
        case .get, .head: break
        case .options: return .options(.options)
        case .other:
            throw GatewayRefusal(
                405,
                "Only GET, HEAD and OPTIONS are answered here",
                fields: [.methods]
            )
        }
        let target = try RequestTarget(request.target)
        switch (target.segments.first, target.segments.count) {
        case ("ipfs", 2...): return try content(target, request)
        case ("ipfs", _): throw .malformed("A CID is missing after /ipfs/")
        case ("piece", 2): return try piece(target, request)
        case ("health", 2) where target.segments[1] == "livez": return .liveness
        case ("health", 2) where target.segments[1] == "readyz": return .readiness
        default: throw GatewayRefusal(404, "Only /ipfs/{cid} and /piece/{key} are served here")
        }
    }

    // MARK: Content

    private func content(
        _ target: RequestTarget,
        _ request: GatewayRequest
    ) throws(GatewayRefusal) -> GatewayPlan {
        let cid: CID
        do {
            cid = try CID(target.segments[1])
        } catch {
            throw .malformed("The CID is malformed (\(error))")
        }
        let negotiation = try Negotiation(target, request)
        guard let variant = negotiation.variant else {
            return .block(try block(cid, target, request, negotiation))
        }
        return .car(try car(cid, variant, target, request, negotiation))
    }

    private func block(
        _ cid: CID,
        _ target: RequestTarget,
        _ request: GatewayRequest,
        _ negotiation: Negotiation
    ) throws(GatewayRefusal) -> BlockPlan {
        guard target.segments.count == 2 else {
            throw .malformed("A block has no path; use format=car for \(target.path)")
        }
        let text = cid.description
        let tag = EntityTag("\(Self.shortened(text)).raw")
        return BlockPlan(
            cid: cid,
            tag: tag,
            conditions: RequestConditions(request, allowsRanges: true),
            statusWhenMissing: Self.statusWhenMissing(request),
            common: Self.common(tag, target, negotiation),
            content: [
                GatewayField(.contentType, "application/vnd.ipld.raw"),
                GatewayField(.contentDisposition, try Self.disposition(target, text, .raw)),
                GatewayField(.acceptRanges, "bytes"),
                GatewayField(.ipfsPath, target.path),
                GatewayField(.ipfsRoots, Self.shortened(text)),
            ]
        )
    }

    private func car(
        _ cid: CID,
        _ variant: CARVariant,
        _ target: RequestTarget,
        _ request: GatewayRequest,
        _ negotiation: Negotiation
    ) throws(GatewayRefusal) -> CARPlan {
        let path = Array(target.segments.dropFirst(2))
        guard path.count <= limits.pathSegmentsMax else {
            throw .malformed(
                "The path has \(path.count) segments; the limit is \(limits.pathSegmentsMax)"
            )
        }
        let (scope, bytes) = try Self.extent(target)
        let dag = DAGRequest(
            root: cid,
            path: IPLDPath(path),
            scope: scope,
            entityBytes: bytes,
            sendsDuplicates: variant.sendsDuplicates,
            limits: limits
        )
        let text = cid.description
        let tag = Self.tag(of: dag, text)
        return CARPlan(
            request: dag,
            tag: tag,
            conditions: RequestConditions(request, allowsRanges: false),
            statusWhenMissing: Self.statusWhenMissing(request),
            common: Self.common(tag, target, negotiation),
            content: [
                GatewayField(.contentType, variant.contentType),
                GatewayField(.contentDisposition, try Self.disposition(target, text, .car)),
                GatewayField(.acceptRanges, "none"),
                GatewayField(.ipfsPath, target.path),
            ]
        )
    }

    /// Returns the tag of a CAR: it differs for another root, path, scope, range or rule for duplicates.
    ///
    /// The tag is weak: another version of this gateway may write other bytes for the same blocks.
    private static func tag(of dag: DAGRequest, _ text: String) -> EntityTag {
        var parts = [dag.scope.rawValue, dag.sendsDuplicates ? "y" : "n"]
        if let bytes = dag.entityBytes {
            parts.append("\(bytes.from):\(bytes.to.map(String.init) ?? "*")")
        } else {
            parts.append("")
        }
        // A zero is in no segment, so different paths have different texts.
        parts += dag.path.segments
        let digest = EntityTag.digest(of: parts.joined(separator: "\0"))
        return EntityTag("\(shortened(text)).car.\(digest)", isWeak: true)
    }

    /// Reads `dag-scope` and `entity-bytes`.
    private static func extent(
        _ target: RequestTarget
    ) throws(GatewayRefusal) -> (DAGScope, EntityBytes?) {
        var scope: DAGScope?
        if let text = try target.value(of: "dag-scope") {
            guard let known = DAGScope(rawValue: text) else {
                throw .malformed("dag-scope=\(text) is unknown; use block, entity or all")
            }
            scope = known
        }
        guard let text = try target.value(of: "entity-bytes") else { return (scope ?? .all, nil) }
        guard let bytes = EntityBytes(text) else {
            throw .malformed(
                "entity-bytes=\(text) is malformed; use FROM:TO, or FROM:* for the rest"
            )
        }
        guard scope == nil || scope == .entity else {
            throw .malformed("entity-bytes needs dag-scope=entity")
        }
        return (.entity, bytes)
    }

    // MARK: Pieces

    private func piece(
        _ target: RequestTarget,
        _ request: GatewayRequest
    ) throws(GatewayRefusal) -> GatewayPlan {
        let key = target.segments[1]
        let fallback = ContentDisposition.attachment(asked: "\(key).car")
        let asked = try target.value(of: "filename").flatMap {
            ContentDisposition.attachment(asked: $0)
        }
        return .piece(
            PiecePlan(
                key: key,
                conditions: RequestConditions(request, allowsRanges: true),
                disposition: asked ?? fallback ?? "attachment"
            )
        )
    }

    // MARK: Fields

    /// The longest text of a CID in a tag or a file name; longer ones are hashed.
    private static let textSizeMax = 128

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= textSizeMax ? text : EntityTag.digest(of: text)
    }

    private static func disposition(
        _ target: RequestTarget,
        _ text: String,
        _ format: ContentFormat
    ) throws(GatewayRefusal) -> String {
        let asked = try target.value(of: "filename").flatMap {
            ContentDisposition.attachment(asked: $0)
        }
        return asked ?? ContentDisposition.attachment("\(shortened(text)).\(format.fileExtension)")
    }

    private static func common(
        _ tag: EntityTag,
        _ target: RequestTarget,
        _ negotiation: Negotiation
    ) -> [GatewayField] {
        var fields = [GatewayField(.entityTag, tag.description), .immutable]
        if !negotiation.addition.isEmpty {
            let query = target.query.map { $0.isEmpty ? "" : "\($0)&" } ?? ""
            let location = "\(target.path)?\(query)\(negotiation.addition)"
            fields.append(GatewayField(.contentLocation, location))
        }
        if negotiation.dependsOnAccept { fields.append(GatewayField(.vary, "Accept")) }
        return fields
    }

    /// Returns 412 if the client asked for cached content only: this gateway has all that it serves, or never gets it.
    private static func statusWhenMissing(_ request: GatewayRequest) -> Int {
        guard let text = request.cacheControl else { return 404 }
        let directives = text.lowercased().split(separator: ",")
        let isOnlyIfCached = directives.contains {
            $0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" && $0 != "=" }
                == "only-if-cached"
        }
        return isOnlyIfCached ? 412 : 404
    }
}
