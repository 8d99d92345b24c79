/// Receives what a store does, for metrics and for a log.
///
/// The store calls an observer on its own threads and on those of callers, and never on the way of a read. Both methods
/// must return at once, and must not call the store.
///
/// ```swift
/// configuration.observer = NodeObserver(metrics, logger)
/// ```
public protocol StoreObserver: Sendable {
    /// Receives a measurement.
    func receive(_ measurement: StoreMeasurement)
    /// Receives a line for the log.
    func receive(_ line: StoreLogLine)
}

/// How long a step of a store took.
public struct StoreMeasurement: Sendable, Equatable {
    /// What was measured; later versions may measure more.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The name, in lower case.
        public let rawValue: String

        /// Makes a kind from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A write transaction of the catalog, with its wait for the disk.
        public static let commit = Kind(rawValue: "commit")
        /// A job that fetched and indexed a shard.
        public static let indexing = Kind(rawValue: "indexing")
        /// A job that opened a shard.
        public static let opening = Kind(rawValue: "opening")
        /// A merge of the inverse index.
        public static let merge = Kind(rawValue: "merge")
    }

    /// What was measured.
    public let kind: Kind
    /// The time from its start to its end.
    public let duration: Duration
    /// Whether the step succeeded.
    public let isSuccess: Bool
}

/// A line that a store writes to a log.
public struct StoreLogLine: Sendable, Equatable {
    /// The levels, the least important first.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        /// The course of normal work.
        case info
        /// Something went wrong, and the store goes on.
        case warning
        /// The store lost a part of its function.
        case error

        /// Whether a level is less important than another.
        public static func < (a: Level, b: Level) -> Bool {
            guard let first = allCases.firstIndex(of: a), let second = allCases.firstIndex(of: b)
            else { return false }
            return first < second
        }
    }

    /// A named value of a line.
    public struct Detail: Sendable, Equatable {
        /// The name: letters.
        public let name: String
        /// The value; it may have any characters.
        public let value: String
    }

    /// The importance.
    public let level: Level
    /// What happened: a sentence without a full stop, the same for all lines of this kind.
    public let message: String
    /// The shard, if the line is about one.
    public let key: ShardKey?
    /// Further values.
    public let details: [Detail]
}
