internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

/// `relocate`: changes the mounts of shards.
struct Relocate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the mount or the policy of a shard, and keep its index.",
        discussion:
            "Compares a sample of the new CAR with the index; if it differs, the shard keeps its old "
            + "mount. With --remote and no source, only the policy changes: the next use of the shard "
            + "reads under it, and 'gc' removes a copy that is no longer read. --map changes every "
            + "shard whose mount begins with the first prefix, and prints a line when each has ended; "
            + "the exit status is that of the first failure."
    )

    @Argument(help: "The shard's key.")
    var key: String?

    @Argument(
        help: ArgumentHelp(
            "A path, or a URL: file://, https://, http:// or s3://bucket/key.",
            valueName: "source"
        )
    )
    var source: String?

    @Option(
        help: ArgumentHelp(
            "Replace the first prefix of mounts by the second; each is a path or a URL.",
            valueName: "prefix=prefix"
        )
    )
    var map: String?

    @OptionGroup var policy: PolicyArgument
    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        let isWhole = key != nil && (source != nil || policy.remote != nil)
        guard map == nil ? isWhole : key == nil else {
            throw ValidationError(
                "give a shard's key and its new source or --remote POLICY, or --map PREFIX=PREFIX"
            )
        }
        if map != nil { _ = try prefixes() }
    }

    func run() async throws {
        guard map == nil else { return try await runMap() }
        guard let key else {
            throw MissingVerb(help: Dagstore.helpMessage(for: Self.self))
        }
        let shard = try ShardKey(key)
        let url = try source.map { try Source($0).url.get() }
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        let outcome = await ShardOutcome.of(shard, in: store) {
            try await relocate(shard, to: url, in: store)
        }
        await StoreOptions.close(store)
        try outcome.end(format.format, hasMount: true)
    }

    private func runMap() async throws {
        let (old, new) = try prefixes()
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        var lines = OutcomeLines(format.format, hasMount: true)
        var isAny = false
        var shards = store.statuses().makeIterator()
        while let shard = try await shards.next() {
            guard let rest = Self.rest(of: shard.mountURL, behind: old) else { continue }
            isAny = true
            let outcome = await ShardOutcome.of(shard.key, in: store) {
                try await relocate(shard.key, to: MountURL(new + rest), in: store)
            }
            try lines.print(outcome)
        }
        await StoreOptions.close(store)
        guard isAny else {
            throw DAGStoreError(
                .shardUnknown,
                "no shard's mount begins with \(old)",
                advice: "run '\(Program.name) list' to see the mounts"
            )
        }
        try lines.end()
    }

    /// Changes the mount of a shard, its policy, or both; an error of the new source gets its own advice.
    private func relocate(
        _ key: ShardKey,
        to url: MountURL?,
        in store: DAGStore
    ) async throws {
        let policy = policy.policy
        guard let url else {
            try await store.setPolicy(of: key, to: policy ?? .automatic)
            return
        }
        do {
            try await store.relocate(key, to: url, policy: policy)
        } catch var error as DAGStoreError where error.code.exitStatus == 4 {
            error.advice = "check the new place: the shard keeps its old mount"
            if error.code == .sourceChanged {
                error.advice? +=
                    "; to have another CAR here, destroy the shard and register it again"
            }
            throw error
        }
    }

    /// Returns the part of a URL after a prefix, if the prefix ends at the border of a path component.
    private static func rest(of url: String, behind prefix: String) -> Substring? {
        guard url.hasPrefix(prefix) else { return nil }
        let rest = url.dropFirst(prefix.count)
        return rest.isEmpty || rest.hasPrefix("/") || prefix.hasSuffix("/") ? rest : nil
    }

    /// Both prefixes, as URLs.
    private func prefixes() throws -> (old: String, new: String) {
        let parts = (map ?? "").split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else {
            throw ValidationError("--map takes PREFIX=PREFIX, not \(map ?? "")")
        }
        let (old, new) = (try Self.url(parts[0]), try Self.url(parts[1]))
        // Both end with a slash or neither does, so that the rest of a URL fits both.
        guard old.hasSuffix("/") != new.hasSuffix("/") else { return (old, new) }
        return (Self.withSlash(old), Self.withSlash(new))
    }

    private static func withSlash(_ url: String) -> String { url.hasSuffix("/") ? url : url + "/" }

    private static func url(_ text: Substring) throws -> String {
        guard !text.contains("://") else { return String(text) }
        let path = try FilePath(String(text)).absolute()
        return FileMount(path).url.text + (text.hasSuffix("/") && path.string != "/" ? "/" : "")
    }
}
