internal import ArgumentParser
internal import DAGIPLD
internal import DAGMultiformats
internal import DAGStorage

/// The CID of a verb about one block, and the shards to look in.
struct BlockArguments: ParsableArguments {
    /// The help for an argument that names a block.
    static let help: ArgumentHelp =
        "The block's CID in any base, /ipfs/CID, ipfs://CID, or its multihash in hexadecimal."

    @Argument(help: help)
    var cid: String

    @Option(help: ArgumentHelp("Search this shard only.", valueName: "key"))
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
            // The store finds blocks by multihash, so any codec will do.
            if let found = multihash(name) { return CID(codec: Codec.raw, multihash: found) }
            throw DAGStoreError(
                .invalidCID,
                "\(text) is neither a CID nor a multihash in hexadecimal: \(error)"
            )
        }
    }

    /// Reads a CID and a path below it: `CID/a/b`, `/ipfs/CID/a/b` or `ipfs://CID/a/b`.
    ///
    /// - Throws: `invalidCID`; `invalidArgument` if the path has `.` or `..`.
    static func readCIDAndPath(_ text: String) throws -> (cid: CID, path: IPLDPath) {
        let schemes = ["/ipfs/", "ipfs://"]
        let scheme = schemes.first { text.hasPrefix($0) } ?? ""
        let parts = text.dropFirst(scheme.count).split(separator: "/", maxSplits: 1)
        let name = parts.first.map { String($0) } ?? ""
        let cid = try readCID(text.hasPrefix("/ipns/") || text.hasPrefix("ipns://") ? text : name)
        guard let path = IPLDPath(parts.count > 1 ? String(parts[1]) : "") else {
            throw DAGStoreError(
                .invalidArgument,
                "\(text): a path may not have the segments . and .."
            )
        }
        return (cid, path)
    }

    /// Removes `/ipfs/` or `ipfs://` before a CID, and a slash after it.
    private static func bareName(_ text: String) throws -> String {
        for scheme in ["/ipns/", "ipns://"] where text.hasPrefix(scheme) {
            throw DAGStoreError(
                .invalidCID,
                "\(text) is a name, not a CID: resolve it to a CID first"
            )
        }
        for scheme in ["/ipfs/", "ipfs://"] where text.hasPrefix(scheme) {
            var name = text.dropFirst(scheme.count)
            if name.last == "/" { name.removeLast() }
            guard !name.contains(where: { "/?#".contains($0) }) else {
                throw DAGStoreError(
                    .invalidCID,
                    "\(text) is a path below a CID: give the CID of the block itself"
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

    /// Finds the places of the block: in the shard of `--shard`, or in all shards.
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
            // All shards that have it lack their CARs so far.
        }
        let found = try reader.store.shards(containing: cid.multihash).compactMap { key in
            try reader.lease(key).location(of: cid).map { FoundBlock(key: key, location: $0) }
        }
        guard !found.isEmpty else { throw notFound }
        return found
    }

    /// Returns the first result that `question` gets from a shard that has the block: from shards at hand first, then
    /// from those to fetch and index.
    ///
    /// - Throws: The first shard's error if no shard gives a result; `blockNotFound`.
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
            "the shard lacks \(cid)",
            shard: key,
            advice: "leave --shard out to look in all shards"
        )
    }

    private var notFound: DAGStoreError { DAGStoreError(.blockNotFound, "no shard has \(cid)") }
}
