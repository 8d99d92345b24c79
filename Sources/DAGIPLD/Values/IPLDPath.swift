/// A path below the root of a DAG: names in directories, keys of maps, and positions in lists.
public struct IPLDPath: Hashable, Sendable, CustomStringConvertible {
    /// The segments from the root on; none of them is empty.
    public let segments: [String]

    /// The path to the root itself.
    public static let empty = IPLDPath([])

    /// Creates a path of segments, which may contain any character.
    ///
    /// Empty segments are dropped.
    public init(_ segments: [String]) { self.segments = segments.filter { !$0.isEmpty } }

    /// Reads a path whose segments `/` separates.
    ///
    /// Empty segments are dropped, so that `/a//b/` is `a/b`. Nothing is decoded: percent signs are characters.
    ///
    /// - Returns: Nil if a segment is `.` or `..`, or has a NUL.
    public init?(_ text: String) {
        let segments = text.split(separator: "/").map { String($0) }
        let isValid = segments.allSatisfy { segment in
            segment != "." && segment != ".." && !segment.utf8.contains(0)
        }
        guard isValid else { return nil }
        self.init(segments)
    }

    /// Whether it is the path to the root itself.
    public var isEmpty: Bool { segments.isEmpty }

    /// The segments with `/` between them.
    public var description: String { segments.joined(separator: "/") }
}
