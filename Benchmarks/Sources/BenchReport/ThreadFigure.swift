/// The name of a figure of reads on many threads, such as `threads.get.16.processes`.
///
/// It is `threads.`, the read, the number of threads, and the kind unless that is the rate of the threads.
public struct ThreadFigure: Hashable, Sendable {
    /// The kinds of figures.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The rate of many threads on one store.
        case threads = ""
        /// The rate of as many processes with a store each.
        case processes = ".processes"
        /// The rate of the threads divided by the rate of as many processes.
        case ratio = ".ratio"
        /// The rate of the threads divided by the rate of two threads.
        case toTwo = ".to-2"

        /// The unit of the figure.
        public var unit: String {
            switch self {
            case .threads, .processes: "M/s"
            case .ratio, .toTwo: "x"
            }
        }
    }

    private static let prefix = "threads."

    /// The read, such as `get.any`.
    public let row: String
    /// The number of threads, or of processes.
    public let count: Int
    /// The kind of figure.
    public let kind: Kind

    /// The figure of a read on `count` threads.
    public init(_ row: String, _ count: Int, _ kind: Kind = .threads) {
        self.row = row
        self.count = count
        self.kind = kind
    }

    /// Reads a name; returns `nil` if it is that of another figure.
    public init?(name: String) {
        guard name.hasPrefix(Self.prefix) else { return nil }
        let kinds = Kind.allCases.filter { $0 != .threads && name.hasSuffix($0.rawValue) }
        let kind = kinds.first ?? .threads
        let rest = name.dropFirst(Self.prefix.count).dropLast(kind.rawValue.count)
        guard let dot = rest.lastIndex(of: "."), dot > rest.startIndex,
            let count = Int(rest[rest.index(after: dot)...]), count > 0
        else { return nil }
        self.init(String(rest[..<dot]), count, kind)
    }

    /// The name.
    public var name: String { "\(Self.prefix)\(row).\(count)\(kind.rawValue)" }
}

extension ThreadFigure {
    /// A figure and its values, one a run, in the unit of its kind.
    public struct Values: Hashable, Sendable {
        /// The figure.
        public let figure: ThreadFigure
        /// The values.
        public let values: [Double]
    }

    /// Turns the lines of several runs into figures.
    ///
    /// Ratios divide the first run of one side by the first run of the other, and so on.
    ///
    /// - Parameter lines: The lines of all runs, each read and number of threads once a run.
    /// - Returns: The figures in the order of the lines, ratios after the rates.
    public static func values(of lines: [ThreadLine]) -> [Values] {
        let rates = Dictionary(grouping: lines) { line in
            ThreadFigure(line.row, line.count, line.mode == .threads ? .threads : .processes)
        }.mapValues { $0.map { $0.operationsPerSecond / 1e6 } }
        let order = unique(lines.map { ThreadFigure($0.row, $0.count) })
        return order.flatMap { figure -> [Values] in
            let processes = ThreadFigure(figure.row, figure.count, .processes)
            let two = ThreadFigure(figure.row, 2)
            var all = [figure, processes].map { Values(figure: $0, values: rates[$0] ?? []) }
            func divide(by other: ThreadFigure, as kind: Kind) {
                let ratios = zip(rates[figure] ?? [], rates[other] ?? []).map { $0 / $1 }
                let name = ThreadFigure(figure.row, figure.count, kind)
                all.append(Values(figure: name, values: ratios))
            }
            divide(by: processes, as: .ratio)
            if figure.count > 2 { divide(by: two, as: .toTwo) }
            return all.filter { !$0.values.isEmpty }
        }
    }
}
