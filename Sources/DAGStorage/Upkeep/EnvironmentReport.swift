/// A fact about the machine, the process or the store's place, and what it means for a store.
public struct EnvironmentFinding: Sendable, Equatable {
    /// What a fact means.
    public enum Verdict: String, Sendable, CaseIterable {
        /// Nothing is to be done.
        case ok
        /// The store works, but something limits it or may go wrong.
        case warning
        /// The store does not work reliably.
        case problem
    }

    /// The name of the fact, such as `descriptors`; a minor release may add names.
    public let name: String
    /// The value as text; numbers are plain, sizes in bytes.
    public let value: String
    /// What it means.
    public let verdict: Verdict
    /// What to do; nil if nothing is to be done.
    public let advice: String?

    init(_ name: String, _ value: String, _ verdict: Verdict = .ok, _ advice: String? = nil) {
        self.name = name
        self.value = value
        self.verdict = verdict
        self.advice = advice
    }
}

/// The findings about the machine, the process and the store's place.
public struct EnvironmentReport: Sendable, Equatable {
    /// The findings, in a fixed order.
    public let findings: [EnvironmentFinding]

    /// Whether nothing is a problem; there may be warnings.
    public var isSound: Bool { findings.allSatisfy { $0.verdict != .problem } }
}
