import DAGIPLD
import DAGMultiformats
import GatewayRequests
import Testing

/// What the suites of this module share.
enum Planning {
    /// A dag-pb root in the canonical text.
    static let root = "bafybeietjm63oynimmv5yyqay33nui4y4wx6u3peezwetxgiwvfmelutzu"

    static func plan(
        _ target: String,
        _ method: GatewayRequest.Method = .get,
        accept: String? = nil,
        cacheControl: String? = nil,
        ifNoneMatch: String? = nil,
        ifRange: String? = nil,
        range: String? = nil
    ) throws(GatewayRefusal) -> GatewayPlan {
        try GatewayPlanner().plan(
            GatewayRequest(
                method,
                target,
                accept: accept,
                cacheControl: cacheControl,
                ifNoneMatch: ifNoneMatch,
                ifRange: ifRange,
                range: range
            )
        )
    }

    /// The status with which a request is refused; nil if it is not.
    static func refusal(_ target: String, accept: String? = nil) -> Int? {
        do throws(GatewayRefusal) {
            _ = try plan(target, accept: accept)
            return nil
        } catch {
            return error.status
        }
    }
}

extension GatewayPlan {
    /// The plan for a block; the test fails if it is another one.
    func block() throws -> BlockPlan {
        guard case .block(let plan) = self else { throw Unexpected(plan: "\(self)") }
        return plan
    }

    /// The plan for a CAR; the test fails if it is another one.
    func car() throws -> CARPlan {
        guard case .car(let plan) = self else { throw Unexpected(plan: "\(self)") }
        return plan
    }

    /// The plan for a piece; the test fails if it is another one.
    func piece() throws -> PiecePlan {
        guard case .piece(let plan) = self else { throw Unexpected(plan: "\(self)") }
        return plan
    }

    struct Unexpected: Error {
        var plan: String
    }
}

extension GatewayAnswer {
    /// The value of a field; nil if it is not there.
    subscript(name: GatewayField.Name) -> String? {
        fields.first { $0.name == name }?.value
    }
}
