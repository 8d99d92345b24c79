/// The form of a CAR that a request asks for.
///
/// The order of blocks is always depth-first, which also serves who asks for any order.
struct CARVariant: Equatable {
    /// Whether a block comes as often as the walk meets it.
    var sendsDuplicates = false
    /// Whether a parameter of the form stood in `Accept`, and not in the address.
    var isNegotiated = false

    /// The names of the parameters, in the address and in `Accept`.
    private static let names = [
        (query: "car-version", accept: "version"),
        (query: "car-order", accept: "order"),
        (query: "car-dups", accept: "dups"),
    ]

    /// The content type, with every parameter that is known.
    var contentType: String {
        "application/vnd.ipld.car; version=1; order=dfs; dups=\(sendsDuplicates ? "y" : "n")"
    }

    /// Reads the form.
    ///
    /// - Parameters:
    ///   - target: The address, whose parameters win.
    ///   - parameters: The parameters of the media range in `Accept`.
    /// - Throws: Status 400 if the address asks for a form that this gateway lacks; status 406 if `Accept` does.
    init(_ target: RequestTarget, parameters: [String: String]) throws(GatewayRefusal) {
        for name in Self.names {
            let asked = try target.value(of: name.query)
            guard let value = asked ?? parameters[name.accept] else { continue }
            guard try apply(value.lowercased(), to: name.accept) else {
                throw asked == nil
                    ? GatewayRefusal(
                        406,
                        "Accept: no CAR with \(name.accept)=\(value) is served here"
                    )
                    : .malformed("The query parameter '\(name.query)' cannot be '\(value)'")
            }
            if asked == nil { isNegotiated = true }
        }
    }

    private mutating func apply(_ value: String, to name: String) throws(GatewayRefusal) -> Bool {
        switch (name, value) {
        case ("version", "1"), ("order", "dfs"), ("order", "unk"): return true
        case ("dups", "y"): sendsDuplicates = true
        case ("dups", "n"): sendsDuplicates = false
        default: return false
        }
        return true
    }
}
