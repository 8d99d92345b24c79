internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage

/// The CID of a verb about one block, and where to look for it.
struct BlockArguments: ParsableArguments {
    /// What a block may be named by.
    static let help: ArgumentHelp =
        "The block's CID in any base, /ipfs/CID, ipfs://CID, or its multihash in hexadecimal."

    @Argument(help: help)
    var cid: String

    @Option(help: ArgumentHelp("Look in this shard only.", valueName: "key"))
    var shard: String?

    /// The CID.
    func readCID() throws -> CID { try Self.readCID(cid) }

    /// Reads a CID, or the multihash of one.
    ///
    /// - Throws: `invalidCID`, also for a path below a CID.
    static func readCID(_ text: String) throws -> CID {
        let name = try bareName(text)
        do {
            return try CID(name)
        } catch {
            // Blocks are looked up by multihash, so any codec will do.
            if let found = multihash(name) { return CID(codec: Codec.raw, multihash: found) }
            throw DAGStoreError(
                .invalidCID,
                "\(text) is neither a CID nor a multihash in hexadecimal: \(error)"
            )
        }
    }

    /// What stands after `/ipfs/` or `ipfs://`, or all of the text.
    private static func bareName(_ text: String) throws -> String {
        for scheme in ["/ipns/", "ipns://"] where text.hasPrefix(scheme) {
            throw DAGStoreError(.invalidCID, "\(text) is a name that changes: resolve it to a CID")
        }
        for scheme in ["/ipfs/", "ipfs://"] where text.hasPrefix(scheme) {
            var name = text.dropFirst(scheme.count)
            if name.last == "/" { name.removeLast() }
            guard !name.contains(where: { "/?#".contains($0) }) else {
                throw DAGStoreError(
                    .invalidCID,
                    "\(text) is a path below a CID, which is not followed: give the block's own CID"
                )
            }
            return String(name)
        }
        return text
    }

    private static func multihash(_ text: String) -> Multihash? {
        let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : text
        let bytes = try? Multibase.base16.decode(digits.utf8Span.span, from: 0)
        return bytes.flatMap { try? Multihash(bytes: $0) }
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
