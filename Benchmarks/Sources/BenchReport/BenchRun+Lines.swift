internal import Foundation

extension BenchRun {
    /// The version of the format.
    private static let version = 1
    /// The largest value of a figure; larger ones come from a fault, and would overflow in another unit.
    private static let magnitudeMax = 1e30

    /// Reads the JSON lines of one run.
    ///
    /// Unknown kinds and keys are ignored. So is a last line that is not JSON and has no line feed, because a crash
    /// leaves such a line. Of figures with the same name, system and place the later one wins.
    ///
    /// - Parameter lines: The text of a file, a `run` line first.
    /// - Throws: `BenchRunError` with the number of the malformed line.
    public init(lines: String) throws(BenchRunError) {
        var reading = Reading()
        let pieces = lines.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            let text = piece.hasSuffix("\r") ? piece.dropLast() : piece
            guard !text.allSatisfy(\.isWhitespace) else { continue }
            let line = Line(text: Data(text.utf8), number: index + 1)
            do {
                try reading.add(line)
            } catch {
                let isCutOff = index == pieces.count - 1 && error.code == .malformedLine
                guard isCutOff, reading.origin != nil else { throw error }
            }
        }
        guard let origin = reading.origin else {
            throw BenchRunError(code: .missingRun, line: 1, detail: "there is no run line")
        }
        self.init(
            origins: [origin],
            datasets: reading.datasets,
            figures: reading.figures.merged(),
            skipped: reading.skipped,
            busy: reading.busy,
            isComplete: reading.end != nil,
            seconds: reading.end?.seconds
        )
    }

    /// The lines that were read so far.
    private struct Reading {
        var origin: Origin?
        var datasets: [Dataset] = []
        var figures: [Figure] = []
        var skipped: [Skip] = []
        var busy: [BusySpell] = []
        var end: EndLine?

        mutating func add(_ line: Line) throws(BenchRunError) {
            let kind = try line.kind()
            guard let origin else {
                guard kind == "run" else {
                    throw line.error(.missingRun, "a \(kind) line stands before the run line")
                }
                origin = try readRun(line)
                return
            }
            switch kind {
            case "run": throw line.error(.secondRun, "a file holds one run")
            case "dataset": datasets.append(try line.decode(Dataset.self))
            case "figure": figures.append(try readFigure(line, origin: origin))
            case "skipped": skipped.append(try line.decode(Skip.self))
            case "busy":
                let line = try line.decode(BusyLine.self)
                busy.append(
                    BusySpell(workload: line.workload, detail: line.detail, origin: origin)
                )
            case "end": end = try line.decode(EndLine.self)
            default: return
            }
        }

        private func readRun(_ line: Line) throws(BenchRunError) -> Origin {
            let version = try line.decode(VersionLine.self).version
            guard version == BenchRun.version else {
                let detail = "version \(version), \(BenchRun.version) is known"
                throw line.error(.unknownVersion, detail)
            }
            return try line.decode(Origin.self)
        }

        private func readFigure(_ line: Line, origin: Origin) throws(BenchRunError) -> Figure {
            let values = try line.decode(Figure.Values.self)
            let figure = Figure(values: values, origin: origin)
            let numbers = [values.min, values.median, values.max, values.x ?? 0]
            guard
                (numbers + figure.percentiles.values).allSatisfy({
                    abs($0) <= BenchRun.magnitudeMax
                })
            else { throw line.error(.malformedValue, "\(values.name): a value is out of range") }
            guard values.min <= values.median, values.median <= values.max else {
                throw line.error(.disorderedFigure, "\(values.name): min, median, max")
            }
            return figure
        }
    }
}

extension [BenchRun.Figure] {
    /// Returns the figures with each key once: at the place of its first, with the values of its last.
    func merged() -> Self {
        var places: [BenchRun.Figure.Key: Int] = [:]
        var result: Self = []
        for figure in self {
            guard let place = places[figure.key] else {
                places[figure.key] = result.count
                result.append(figure)
                continue
            }
            result[place] = figure
        }
        return result
    }
}
