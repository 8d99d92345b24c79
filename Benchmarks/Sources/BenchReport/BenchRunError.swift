/// The reason why the lines of a run cannot be read.
public struct BenchRunError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of error.
    public enum Code: String, Hashable, Sendable {
        /// A line is not a JSON object with a `kind`.
        case malformedLine
        /// A line of a known kind lacks a key, or a key has a value of the wrong type.
        case malformedValue
        /// The minimum, median and maximum of a figure are not in this order.
        case disorderedFigure
        /// The first line is not a `run` line.
        case missingRun
        /// The file has a second `run` line.
        case secondRun
        /// The version of the format is not known.
        case unknownVersion
    }

    /// The kind of error.
    public let code: Code
    /// The number of the bad line, from 1.
    public let line: Int
    /// The fault, for people.
    public let detail: String

    /// The line, the kind of error and what is wrong.
    public var description: String { "line \(line): \(code.rawValue): \(detail)" }
}
