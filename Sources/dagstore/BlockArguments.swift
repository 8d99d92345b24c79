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
    func readCID() throws -> CID {
        do {
            return try CID(cid)
        } catch {
            throw DAGStoreError(.invalidCID, "\(cid) is no CID: \(error)")
        }
    }

    /// Calls `body` with each answer to `question` until it wants no more.
    ///
    /// All available shards are asked, in order of registration, or the one that was named. A shard
    /// that cannot be asked is passed over.
    ///
    /// - Parameters:
    ///   - store: The store.
    ///   - question: Asks a shard; nil is no answer.
    ///   - body: Receives an answer, and says whether to go on.
    /// - Throws: If nobody answered, why a shard could not be asked; `blockNotFound` if all were.
    func ask<Answer>(
        _ store: DAGStore,
        _ question: (Shard) throws -> Answer?,
        _ body: (Shard, Answer) throws -> Bool
    ) throws {
        if let shard { return try askOnly(ShardKey(shard), store, question, body) }
        var refusal: DAGStoreError?
        var hasAnswer = false
        var statuses = store.statuses().makeIterator()
        while let status = statuses.next() {
            guard status.state == .available || status.state == .serving else { continue }
            do {
                let shard = try store.lease(status.key)
                guard let answer = try question(shard) else { continue }
                hasAnswer = true
                guard try body(shard, answer) else { return }
            } catch let error as DAGStoreError {
                refusal = refusal ?? error.about(status.key)
            }
        }
        if let error = statuses.error { throw error }
        guard !hasAnswer else { return }
        throw refusal ?? DAGStoreError(.blockNotFound, "no shard has \(cid)")
    }

    private func askOnly<Answer>(
        _ key: ShardKey,
        _ store: DAGStore,
        _ question: (Shard) throws -> Answer?,
        _ body: (Shard, Answer) throws -> Bool
    ) throws {
        let shard = try store.lease(key)
        guard let answer = try question(shard) else {
            throw DAGStoreError(.blockNotFound, "it does not have \(cid)", shard: key)
        }
        _ = try body(shard, answer)
    }
}
