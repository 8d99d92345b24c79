#if Node
    internal import DAGBytes
    internal import DAGHashing
    package import DAGMounts
    package import ObjectStorage
    internal import SharedReads

    /// The parts that all mounts of a template share: the client, the caches, and what was learned of servers.
    ///
    /// *Concurrency*: any thread.
    package final class RemoteClient: Sendable {
        /// The most objects whose counters and ranges are remembered; then the memory begins again.
        static let objectsMax = 65_536
        /// The most bytes that are read ahead at once, of all objects.
        static let guessSizeMax = 16 << 20

        /// The options.
        package let options: RemoteOptions
        /// The client.
        package let client: ObjectClient
        let memory: BlockCache
        /// The threads that wait for the disk.
        let diskThreads = JobPool(label: "dagstore.cache", width: 2)

        private struct State {
            var ranges: [String: ObjectStat.Ranges] = [:]
            var counters: [String: TransferCounters] = [:]
            var guessSize = 0
            /// The cache on the disk, once it is open.
            var disk: DiskCache?
        }

        private let state = Lock(State())
        /// Held while the cache is opened.
        private let opening = Lock(())

        /// Creates a client.
        package init(_ options: RemoteOptions) {
            self.options = options
            client = ObjectClient(options.client)
            memory = BlockCache(sizeMax: options.memorySizeMax)
        }

        /// The cache on the disk, once it is open.
        var disk: DiskCache? { state.withLock { $0.disk } }

        /// Opens the cache on the disk, unless it is open.
        ///
        /// If another process uses the folder of the cache, or it cannot be written, the memory alone keeps bytes; the
        /// next call tries again.
        ///
        /// - Throws: `CancellationError`.
        func openDisk() async throws {
            guard let folder = options.cacheFolder, state.withLock({ $0.disk == nil }) else {
                return
            }
            try await diskThreads.run { [self] in
                opening.withLock { _ in
                    guard state.withLock({ $0.disk == nil }) else { return }
                    let disk = try? DiskCache(at: folder, sizeMax: options.cacheSizeMax)
                    state.withLock { $0.disk = disk }
                }
            }
        }

        /// The largest window that is read ahead; the memory does not keep larger parts.
        var readAheadMax: UInt64 { min(options.readAheadMax, UInt64(options.memorySizeMax / 4)) }

        /// The requests and bytes of all mounts.
        package var counters: TransferCounters.Values { client.counters.values }

        /// Returns the counters of one URL.
        package func counters(of url: MountURL) -> TransferCounters {
            state.withLock { state in
                if let known = state.counters[url.text] { return known }
                if state.counters.count >= Self.objectsMax { state.counters = [:] }
                let counters = TransferCounters(parent: client.counters)
                state.counters[url.text] = counters
                return counters
            }
        }

        /// Returns whether the server of an object sends parts, as far as this process knows.
        func ranges(of url: MountURL) -> ObjectStat.Ranges {
            state.withLock { $0.ranges[url.text] ?? .unproven }
        }

        /// Remembers whether the server of an object sends parts.
        func learn(_ ranges: ObjectStat.Ranges, of url: MountURL) {
            guard ranges != .unproven else { return }
            state.withLock { state in
                if state.ranges.count >= Self.objectsMax { state.ranges = [:] }
                state.ranges[url.text] = ranges
            }
        }

        /// Reserves bytes for a guess; all sources share `guessSizeMax`, so that many readers do not fill the memory.
        ///
        /// - Returns: Whether there is room.
        func reserveGuess(_ size: Int) -> Bool {
            state.withLock { state in
                guard state.guessSize + size <= Self.guessSizeMax else { return false }
                state.guessSize += size
                return true
            }
        }

        /// The bytes that guesses may still reserve.
        var guessRoom: Int { state.withLock { Self.guessSizeMax - $0.guessSize } }

        /// Returns bytes that were reserved for guesses.
        func releaseGuess(_ size: Int) {
            guard size > 0 else { return }
            state.withLock { $0.guessSize -= size }
        }

        /// Returns the name of a version in the caches.
        ///
        /// Without a validator, another version may have the same name; then the name is random.
        func cacheKey(_ url: MountURL, _ stat: ObjectStat) -> CacheKey {
            var text = "\(url.text)\0\(stat.size ?? 0)\0"
            text +=
                stat.version.validator
                ?? "\(UInt64.random(in: 0 ... .max)) \(UInt64.random(in: 0 ... .max))"
            let digest = Array(text.utf8).withView { BlockHash.digest(0x12, of: $0) }
            return CacheKey(bytes: digest ?? [])
        }
    }

    /// A URL and the object behind it: what `HTTPMount` and `S3Mount` have in common.
    struct RemoteObject: Sendable {
        let url: MountURL
        var target: ObjectTarget
        let remote: RemoteClient
        /// The index that may lie beside the CAR, under its name and `.idx`; nil if it cannot be named.
        var beside: ObjectTarget?
        /// The policy of the shard.
        var policy = MountPolicy.automatic

        /// The bytes that the opening of an object reads: the header of a CAR.
        static let firstReadSize = 4096

        /// What stays on this machine.
        private var kept: MountPolicy { policy == .automatic ? remote.options.policy : policy }

        /// The cache that keeps the object's ranges; nil for none.
        var disk: DiskCache? { kept == .cache ? remote.disk : nil }

        var access: MountAccess {
            kept == .copy || remote.ranges(of: url) == .refused ? .sequential : .random
        }

        /// Returns the object, whose requests count in `counter` too, as do those for the index beside it.
        func counting(in counter: TrafficCounter) -> RemoteObject {
            func counters(_ parent: TransferCounters) -> TransferCounters {
                TransferCounters(parent: parent) { part in
                    guard part.requests > 0 || part.bytes > 0 else { return }
                    counter.count(Traffic(requests: part.requests, bytes: part.bytes))
                }
            }
            var object = self
            object.target.counters = counters(target.counters)
            if let beside { object.beside?.counters = counters(beside.counters) }
            return object
        }

        /// Returns the object under a policy.
        func applying(_ policy: MountPolicy) -> RemoteObject {
            var object = self
            object.policy = policy
            return object
        }

        func stat() async throws -> MountStat {
            try await MountError.translating {
                var stat = try await remote.client.stat(target)
                if access == .random, stat.ranges == .unproven, remote.ranges(of: url) == .unproven
                {
                    stat = try await remote.client.probe(target, size: 1, .read).stat
                }
                remote.learn(stat.ranges, of: url)
                return MountStat(size: stat.size, validator: stat.version.validator)
            }
        }

        func open() async throws -> MountSource {
            try await MountError.translating {
                guard access == .random else {
                    let stat = try await remote.client.stat(target, .fetch)
                    return .sequential(WholeStream(self, stat))
                }
                let (stat, bytes) = try await remote.client.probe(
                    target,
                    size: Self.firstReadSize,
                    .read
                )
                guard stat.ranges == .proven, let size = stat.size else {
                    // The store copies an object that cannot be read in parts.
                    remote.learn(.refused, of: url)
                    return .sequential(WholeStream(self, stat))
                }
                remote.learn(.proven, of: url)
                if kept == .cache { try await remote.openDisk() }
                return .random(RangeSource(self, stat, size: size, first: bytes))
            }
        }
    }

    extension MountError {
        /// Calls `body`, and replaces the errors of object stores by those of mounts.
        ///
        /// - Parameters:
        ///   - refusal: Called if the server sends no parts of the object.
        ///   - body: Sends requests.
        /// - Returns: The result of `body`.
        /// - Throws: `MountError`, `CancellationError`.
        static func translating<R>(
            refusal: () -> Void = {},
            _ body: () async throws -> R
        ) async throws -> R {
            do {
                return try await body()
            } catch let error as ObjectStorageError {
                if error.code == .rangeRefused { refusal() }
                throw MountError(error)
            }
        }

        /// Creates the error of a mount for one of an object store.
        init(_ error: ObjectStorageError) {
            let code: Code =
                switch error.code {
                case .notFound, .noBucket: .gone
                case .sourceChanged: .changed
                case .timedOut: .timedOut
                case .truncated, .overlong: .shortRead
                case .malformedURL: .malformedURL
                case .limitExceeded: .outOfResources
                case .full: .full
                case .targetRefused, .tooManyRedirects, .accessDenied, .credentialsExpired,
                    .throttled, .unavailable, .unreachable, .rangeRefused, .malformedResponse,
                    .rejected, .noCredentials:
                    .unreachable
                }
            self.init(code, "\(error.detail) (\(error.code.rawValue))")
        }
    }
#endif
