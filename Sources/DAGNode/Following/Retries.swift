#if Node
    internal import DAGStorage
    internal import SystemPackage

    /// Files to look at again after a pause, which doubles while their operations go on to fail.
    ///
    /// A full disk fails the operation of each file, and an operation may read the whole file before it fails.
    struct Retries {
        /// The first pause.
        static let pauseMin = Duration.seconds(10)
        /// The longest pause.
        static let pauseMax = Duration.seconds(600)

        private var paths: [ShardKey: FilePath] = [:]
        private var pause = Self.pauseMin
        /// The time of the next look; nil if no file waits.
        private(set) var due: ContinuousClock.Instant?

        /// Adds a file.
        mutating func add(_ key: ShardKey, _ path: FilePath, at now: ContinuousClock.Instant) {
            paths[key] = path
            due = due ?? now + pause
        }

        /// Takes note that an operation succeeded, so that the node has what it lacked.
        mutating func succeed() { pause = Self.pauseMin }

        /// Removes and returns the files whose time has come.
        mutating func takeDue(at now: ContinuousClock.Instant) -> [FilePath] {
            guard let due, due <= now else { return [] }
            defer { paths = [:] }
            self.due = nil
            pause = min(pause * 2, Self.pauseMax)
            return Array(paths.values)
        }
    }
#endif
