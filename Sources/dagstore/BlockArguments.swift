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
    func places(of cid: CID, in reader: StoreReader) throws -> [FoundBlock] {
        if let shard {
            let key = try ShardKey(shard)
            guard let location = try reader.lease(key).location(of: cid) else {
                throw missing(in: key)
            }
            return [FoundBlock(key: key, location: location)]
        }
        do {
            let found = try reader.store.places(of: cid)
            guard found.isEmpty else { return found }
        } catch let error as DAGStoreError where error.code == .mountUnreachable {
            // Only shards have it whose CARs were not read yet.
        }
        let found = try reader.store.shards(containing: cid.multihash).compactMap { key in
            try reader.lease(key).location(of: cid).map { FoundBlock(key: key, location: $0) }
        }
        guard !found.isEmpty else { throw notFound }
        return found
    }

    /// The first block that `question` gets from a shard that has it: those at hand first, and then those that have to
    /// be fetched and indexed.
    ///
    /// - Throws: If no shard gave it, why the first could not; `blockNotFound`.
    func first<R>(
        of cid: CID,
        in reader: StoreReader,
        _ question: (Shard) throws -> R?
    ) throws -> R {
        if let shard {
            let key = try ShardKey(shard)
            guard let answer = try question(reader.lease(key)) else { throw missing(in: key) }
            return answer
        }
        var refusal: DAGStoreError?
        var later: [ShardKey] = []
        for key in try reader.store.shards(containing: cid.multihash) {
            do {
                guard let lease = try reader.leaseAtHand(key) else {
                    later.append(key)
                    continue
                }
                if let answer = try question(lease) { return answer }
            } catch let error as DAGStoreError {
                refusal = refusal ?? error.about(key)
            }
        }
        for key in later {
            do {
                if let answer = try question(reader.lease(key)) { return answer }
            } catch let error as DAGStoreError where error.code != .catalogLocked {
                refusal = refusal ?? error.about(key)
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
