package import DAGIPLD
package import DAGMultiformats

/// What a server does for a request.
package enum GatewayPlan: Sendable {
    /// Sends one block.
    case block(BlockPlan)
    /// Sends the blocks of a DAG.
    case car(CARPlan)
    /// Sends the CAR of a shard as it is.
    case piece(PiecePlan)
    /// Says that the process answers.
    case liveness
    /// Says whether the store can be read.
    case readiness
    /// Says which methods and fields there are.
    case options(GatewayAnswer)
}

/// How a block is sent.
package struct BlockPlan: Sendable {
    /// The block.
    package let cid: CID
    /// The block's tag.
    package let tag: EntityTag
    /// What the client has, and the part that it wants.
    package let conditions: RequestConditions
    /// The status if the block is not here: 404, or 412 if the client asked for cached content only.
    package let statusWhenMissing: Int
    let common: [GatewayField]
    let content: [GatewayField]

    /// Returns the answer, if the block has `size` bytes.
    package func answer(size: UInt64) -> GatewayAnswer {
        conditions.answer(size: size, tag: tag, common: common, content: content)
    }
}

/// How the blocks of a DAG are sent.
package struct CARPlan: Sendable {
    /// Which blocks to send.
    package let request: DAGRequest
    /// The CAR's tag.
    package let tag: EntityTag
    /// What the client has.
    package let conditions: RequestConditions
    /// The status if the first block is not here: 404, or 412 if the client asked for cached content only.
    package let statusWhenMissing: Int
    let common: [GatewayField]
    let content: [GatewayField]

    /// Whether the client has the CAR already.
    package var isKnown: Bool { conditions.hasClient(tag) }

    /// The answer, once the first block is found.
    package var answer: GatewayAnswer {
        isKnown
            ? GatewayAnswer(status: 304, fields: common, body: nil)
            : GatewayAnswer(status: 200, fields: common + content, body: nil)
    }
}

/// How the CAR of a shard is sent.
package struct PiecePlan: Sendable {
    /// The shard's key, as the client named it.
    package let key: String
    /// What the client has, and the part that it wants.
    package let conditions: RequestConditions
    let disposition: String

    /// Returns the answer.
    ///
    /// - Parameters:
    ///   - size: The size of the CAR file in bytes.
    ///   - version: A text that differs when the bytes of the file differ.
    /// - Returns: The answer.
    package func answer(size: UInt64, version: String) -> GatewayAnswer {
        let tag = EntityTag(EntityTag.digest(of: "\(key)\0\(size)\0\(version)") + ".piece")
        return conditions.answer(
            size: size,
            tag: tag,
            common: [
                GatewayField(.entityTag, tag.description),
                // A key may name another file one day, so caches ask again.
                GatewayField(.cacheControl, "no-cache"),
            ],
            content: [
                GatewayField(.contentType, "application/vnd.ipld.car"),
                GatewayField(.contentDisposition, disposition),
                GatewayField(.acceptRanges, "bytes"),
            ]
        )
    }
}
