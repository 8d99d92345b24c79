/// Metrics in Prometheus's text format.
///
/// ```
/// # HELP dagstore_shards The shards.
/// # TYPE dagstore_shards gauge
/// dagstore_shards{state="available"} 3
/// ```
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
package struct PrometheusText {
    /// The content type.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The kinds of metrics.
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    /// The text so far.
    package private(set) var bytes: [UInt8] = []

    /// Makes an empty text.
    package init() {}

    /// Begins a metric; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        if !help.isEmpty { bytes += "# HELP \(name) \(Self.escaped(help, quotes: false))\n".utf8 }
        bytes += "# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    /// Writes a sample.
    package mutating func sample(
        _ name: String,
        _ labels: [(String, String)] = [],
        _ value: Double
    ) {
        bytes += name.utf8
        if !labels.isEmpty {
            let pairs = labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            bytes += "{\(pairs.joined(separator: ","))}".utf8
        }
        let isWhole = value == value.rounded() && value.magnitude < 1e15
        bytes += isWhole ? " \(Int64(value))\n".utf8 : " \(value)\n".utf8
    }

    /// Writes a metric with one sample.
    package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [], value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        text.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where quotes: text += "\\\""
            default: text.append(character)
            }
        }
    }
}
