#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import SystemPackage

    /// The attributes of a file that show whether it grows or was replaced.
    struct FileSighting: Equatable {
        /// The size in bytes.
        var size: Int64
        /// The time of the last change of the content, in nanoseconds since 1970.
        var modified: Int64
        /// The time of the last change of content, name or rights, in nanoseconds since 1970.
        var changed: Int64
        /// The file's number.
        var inode: UInt64

        /// The attributes that a shard's record has; the device may get another number at each mount.
        var identity: FileIdentity {
            FileIdentity(size: UInt64(size), modified: modified, inode: inode, device: 0)
        }
    }

    /// Decides when a file has stopped growing.
    ///
    /// A process that writes a file may pause. A file counts as whole if a process closed it or moved it here, or if it
    /// stayed the same for an interval. The caller asks about the second case here.
    ///
    /// *Cost*: memory for at most `filesMax` files.
    struct Settling {
        private struct Waiting {
            var last: FileSighting
            var since: ContinuousClock.Instant
            var path: FilePath
        }

        /// The largest number of files to remember.
        static let filesMax = 4096

        private let interval: Duration
        private var waiting: [ShardKey: Waiting] = [:]

        init(interval: Duration) { self.interval = interval }

        /// Takes note of a look at a file.
        ///
        /// - Parameters:
        ///   - key: The shard of the file.
        ///   - path: The file.
        ///   - file: Its attributes.
        ///   - now: The time of the look.
        ///   - clock: The same time in nanoseconds since 1970, as files have it; nil if the file's own times do not
        ///     count.
        /// - Returns: The decision.
        mutating func look(
            _ key: ShardKey,
            _ path: FilePath,
            _ file: FileSighting,
            at now: ContinuousClock.Instant,
            clock: Int64?
        ) -> Verdict {
            if let before = waiting[key], before.last == file {
                guard now - before.since >= interval else { return .grows }
                waiting[key] = nil
                return .isWhole
            }
            if let clock, waiting[key] == nil {
                // The system writes the time at every write, so this one look is as good as two.
                let age = Duration.nanoseconds(max(-1, clock &- file.modified))
                if age >= interval, age >= .zero { return .isWhole }
            }
            guard waiting.count < Self.filesMax || waiting[key] != nil else { return .unknown }
            waiting[key] = Waiting(last: file, since: now, path: path)
            return .grows
        }

        /// What is known about a file.
        enum Verdict {
            case isWhole, grows
            /// Too many files grow; look again after the interval.
            case unknown
        }

        /// Forgets a file.
        mutating func forget(_ key: ShardKey) { waiting[key] = nil }

        /// The time of the next look that can decide something.
        var nextLook: ContinuousClock.Instant? { waiting.values.map { $0.since + interval }.min() }

        /// Returns the files to look at.
        func due(at now: ContinuousClock.Instant) -> [FilePath] {
            waiting.values.filter { $0.since + interval <= now }.map { $0.path }
        }
    }
#endif
