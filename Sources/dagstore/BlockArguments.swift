internal import ArgumentParser
internal import DAGStorage
internal import Multiformats

/// The CID of a verb about one block, and where to look for it.
struct BlockArguments: ParsableArguments {
    @Argument(help: "The block's CID, in any base.")
    var cid: String

    @Option(help: ArgumentHelp("Look in this shard only.", valueName: "key"))
    var shard: String?

    /// The CID.
    func readCID() throws -> CID { try Self.readCID(cid) }

    /// A CID given as text.
    static func readCID(_ text: String) throws -> CID {
        do {
            return try CID(text)
        } catch {
            throw DAGStoreError(.invalidCID, "\(text): not a CID: \(error)")
        }
    }

    /// The shards that have the block, and where; the one that was named is asked alone.
    ///
    /// - Throws: `blockNotFound` if there is none.
    func places(of cid: CID, in store: DAGStore) throws -> [FoundBlock] {
        let found: [FoundBlock]
        if let shard {
            let key = try ShardKey(shard)
            let location = try store.lease(key).location(of: cid)
            guard let location else {
                throw missing(in: key)
            }
            found = [FoundBlock(key: key, location: location)]
        } else {
            found = try store.places(of: cid)
        }
        guard !found.isEmpty else { throw notFound }
        return found
    }

    /// The first block that `question` gets from a shard that has it.
    ///
    /// - Throws: If no shard gave it, why the first could not; `blockNotFound`.
    func first(of cid: CID, in store: DAGStore) throws -> (key: ShardKey, block: Block) {
        if let shard {
            let key = try ShardKey(shard)
            guard let block = try store.lease(key).blockIfLocal(for: cid) else {
                throw missing(in: key)
            }
            return (key, block)
        }
        var refusal: DAGStoreError?
        for place in try store.places(of: cid) {
            do {
                let block = try store.lease(place.key).blockIfLocal(for: cid)
                if let block { return (place.key, block) }
            } catch let error as DAGStoreError {
                refusal = refusal ?? error.about(place.key)
            }
        }
        throw refusal ?? notFound
    }

    private func missing(in key: ShardKey) -> DAGStoreError {
        DAGStoreError(
            .blockNotFound,
            "it does not have \(cid)",
            shard: key,
            advice: "leave --shard out to ask all shards"
        )
    }

    private var notFound: DAGStoreError { DAGStoreError(.blockNotFound, "no shard has \(cid)") }
}
