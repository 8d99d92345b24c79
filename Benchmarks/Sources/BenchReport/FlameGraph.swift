internal import Foundation

/// A flame graph of a program's time: a box for each function on top of its caller, as wide as its time on the stack.
public struct FlameGraph: Sendable {
    /// A function on a stack, and the functions that it called.
    private final class Frame {
        let name: String
        var count = 0
        var callees: [String: Frame] = [:]

        init(_ name: String) { self.name = name }

        var depth: Int { 1 + (callees.values.map(\.depth).max() ?? 0) }
    }

    /// The stacks and their numbers of samples, the outermost function first.
    private let stacks: [[String]: Int]
    /// The number of samples.
    public let sampleCount: Int

    private static let width = 1180.0
    private static let height = 17.0
    private static let top = 40.0
    /// The width below which a box is not drawn.
    private static let leastWidth = 0.6
    private static let characterWidth = 6.4

    /// Reads the output of `perf script`: a line about each sample, then a line for each function, the innermost
    /// first, then an empty line.
    public init(samples: String) {
        var stacks: [[String]: Int] = [:]
        var stack: [String] = []
        var count = 0
        func end() {
            guard !stack.isEmpty else { return }
            stacks[stack.reversed(), default: 0] += 1
            count += 1
            stack = []
        }
        for line in samples.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.first == "\t" || line.first == " " else {
                end()
                continue
            }
            // The address, the function with an offset in it, and the file in parentheses.
            let words = line.trimmingCharacters(in: .whitespaces)
                .split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            var name = words[1]
            if let file = name.range(of: " (/", options: .backwards) ?? name.range(of: " ([") {
                name = String(name[..<file.lowerBound])
            }
            if let place = name.range(of: "+0x", options: .backwards) {
                name = String(name[..<place.lowerBound])
            }
            stack.append(name)
        }
        end()
        self.stacks = stacks
        sampleCount = count
    }

    /// Draws the graph as an SVG file; a box shows its name and share when the pointer rests on it.
    public func svg(title: String) -> String {
        let root = Frame("all")
        root.count = sampleCount
        for (stack, count) in stacks {
            var frame = root
            for name in stack {
                let next = frame.callees[name] ?? Frame(name)
                frame.callees[name] = next
                next.count += count
                frame = next
            }
        }
        let height = Self.top + Double(root.depth) * Self.height + 10
        var text =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width) + 20) \(Int(height))\""
            + " font-family=\"ui-monospace, monospace\" font-size=\"11\">\n<style>"
            + "svg{background:#fff;color:#1b1f24}text{fill:#1b1f24}.title{font-size:15px;fill:currentColor}"
            + "@media (prefers-color-scheme:dark){svg{background:#14171c;color:#e6e9ee}}</style>\n"
            + "<text class=\"title\" x=\"10\" y=\"24\">\(Escaping.xml(title)), \(sampleCount) samples</text>\n"
        if sampleCount > 0 {
            draw(root, at: 10, width: Self.width, bottom: height - 10, &text)
        }
        return text + "</svg>\n"
    }

    private func draw(
        _ frame: Frame,
        at start: Double,
        width: Double,
        bottom: Double,
        _ text: inout String
    ) {
        guard width >= Self.leastWidth else { return }
        let share = Double(frame.count) / Double(sampleCount) * 100
        let tip = "\(frame.name): \(frame.count) samples, \(Self.number(share)) %"
        let y = bottom - Self.height
        text +=
            "<g><title>\(Escaping.xml(tip))</title><rect x=\"\(Self.number(start))\" y=\"\(Self.number(y))\""
            + " width=\"\(Self.number(max(0.4, width - 0.4)))\" height=\"\(Int(Self.height) - 1)\""
            + " fill=\"\(Self.color(of: frame.name))\"/>"
        let room = Int((width - 6) / Self.characterWidth)
        if room >= 3 {
            let name =
                frame.name.count <= room ? frame.name : frame.name.prefix(room - 1) + "…"
            text +=
                "<text x=\"\(Self.number(start + 3))\" y=\"\(Self.number(y + 12))\">\(Escaping.xml(String(name)))</text>"
        }
        text += "</g>\n"
        var place = start
        for callee in frame.callees.values.sorted(by: { $0.name < $1.name }) {
            let share = width * Double(callee.count) / Double(frame.count)
            draw(callee, at: place, width: share, bottom: y, &text)
            place += share
        }
    }

    /// A warm color, the same for the same function in every graph.
    private static func color(of name: String) -> String {
        let hash = name.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
        return "hsl(\(20 + hash % 36),\(70 + hash >> 8 % 20)%,\(66 + hash >> 16 % 12)%)"
    }

    private static func number(_ value: Double) -> String {
        String(format: "%.1f", value)
    }
}
