/// The format that a request asks for, by its address and by `Accept`.
struct Negotiation {
    /// The format.
    let format: ContentFormat
    /// The form of a CAR; without meaning for a block.
    let variant: CARVariant?
    /// Whether the answer depends on `Accept`.
    let dependsOnAccept: Bool
    /// What to add to the query of the address, so that it names the same content without `Accept`.
    let addition: String

    /// Chooses the format.
    ///
    /// The parameter `format` wins over `Accept` (IPIP-523); the parameters of a CAR in `Accept` apply nevertheless.
    ///
    /// - Throws: Status 400 if nothing asks for a format, or the address for one that is not served; status 406 if
    ///   `Accept` asks only for forms of a CAR that are not served.
    init(_ target: RequestTarget, _ request: GatewayRequest) throws(GatewayRefusal) {
        let entries = request.accept.map { AcceptField(field: $0).entries } ?? []
        guard let asked = try target.value(of: "format") else {
            try self.init(target, among: entries)
            return
        }
        guard let format = ContentFormat(rawValue: asked.lowercased()) else {
            throw .malformed("format=\(asked) is not served here; use format=raw or format=car")
        }
        guard format == .car else {
            self.init(format: .raw, variant: nil, dependsOnAccept: false, addition: "")
            return
        }
        let forms = entries.filter { $0.format == .car }
        let variant = try Self.firstVariant(of: forms, target)
        self.init(
            format: .car,
            variant: variant,
            dependsOnAccept: true,
            addition: variant.isNegotiated ? Self.parameters(of: variant) : ""
        )
    }

    private init(
        _ target: RequestTarget,
        among entries: [AcceptField.Entry]
    ) throws(GatewayRefusal) {
        guard !entries.isEmpty else {
            throw .malformed(
                "The request names no format; use ?format=raw, ?format=car, or Accept with "
                    + "application/vnd.ipld.raw or application/vnd.ipld.car"
            )
        }
        var failure: GatewayRefusal?
        for entry in entries {
            guard entry.format == .car else {
                self.init(format: .raw, variant: nil, dependsOnAccept: true, addition: "format=raw")
                return
            }
            do throws(GatewayRefusal) {
                let variant = try CARVariant(target, parameters: entry.parameters)
                let added = variant.isNegotiated ? "&" + Self.parameters(of: variant) : ""
                self.init(
                    format: .car,
                    variant: variant,
                    dependsOnAccept: true,
                    addition: "format=car" + added
                )
                return
            } catch {
                failure = failure ?? error
            }
        }
        throw failure ?? .malformed("The request names no format")
    }

    private init(
        format: ContentFormat,
        variant: CARVariant?,
        dependsOnAccept: Bool,
        addition: String
    ) {
        self.format = format
        self.variant = variant
        self.dependsOnAccept = dependsOnAccept
        self.addition = addition
    }

    private static func firstVariant(
        of forms: [AcceptField.Entry],
        _ target: RequestTarget
    ) throws(GatewayRefusal) -> CARVariant {
        var failure: GatewayRefusal?
        for form in forms {
            do throws(GatewayRefusal) {
                return try CARVariant(target, parameters: form.parameters)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return try CARVariant(target, parameters: [:])
    }

    private static func parameters(of variant: CARVariant) -> String {
        "car-order=dfs&car-dups=\(variant.sendsDuplicates ? "y" : "n")"
    }
}
