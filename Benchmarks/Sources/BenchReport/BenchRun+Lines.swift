internal import Foundation

extension BenchRun {
    /// The version of the format that is read here.
    private static let version = 1
    /// No figure is larger than this; what is comes from a fault, and would overflow in a unit.
    private static let magnitudeMax = 1e30

    /// Reads the JSON lines of one run.
    ///
    /// Kinds and keys that are not known are ignored. A last line without a line feed is what a
    /// crash leaves behind: it is ignored if it is not JSON. Of figures that have name, system and
    /// place in common the later one wins.
    ///
    /// - Parameter lines: The text of a file, a `run` line first.
    /// - Throws: `BenchRunError` with the number of the line that is wrong.
    public init(lines: String) throws(BenchRunError) {
        var reading = Reading()
        let pieces = lines.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            let text = piece.hasSuffix("\r") ? piece.dropLast() : piece
            guard !text.allSatisfy(\.isWhitespace) else { continue }
            let line = Line(text: Data(text.utf8), number: index + 1)
            do {
                try reading.take(line)
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
            figures: reading.figures.laidOver(),
            skipped: reading.skipped,
            busy: reading.busy,
            isComplete: reading.end != nil,
            seconds: reading.end?.seconds
        )
    }

    /// What has been read so far.
    private struct Reading {
        var origin: Origin?
        var datasets: [Dataset] = []
        var figures: [Figure] = []
        var skipped: [Skip] = []
        var busy: [BusySpell] = []
        var end: EndLine?

        mutating func take(_ line: Line) throws(BenchRunError) {
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
            case "dataset": datasets.append(try line.decode(DatasetLine.self).dataset)
            case "figure": figures.append(try readFigure(line, origin: origin))
            case "skipped": skipped.append(try line.decode(SkippedLine.self).skip)
            case "busy": busy.append(try line.decode(BusyLine.self).spell(origin: origin))
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
            return try line.decode(RunLine.self).origin
        }

        private func readFigure(_ line: Line, origin: Origin) throws(BenchRunError) -> Figure {
            let figure = try line.decode(FigureLine.self)
            guard let direction = Direction(rawValue: figure.better) else {
                throw line.error(.malformedValue, "better is neither lower nor higher")
            }
            let numbers = [figure.min, figure.median, figure.max, figure.x ?? 0]
            let all = numbers + (figure.percentiles ?? [:]).values
            guard all.allSatisfy({ abs($0) <= BenchRun.magnitudeMax }) else {
                throw line.error(.malformedValue, "\(figure.name): a value is out of range")
            }
            guard figure.min <= figure.median, figure.median <= figure.max else {
                throw line.error(.disorderedFigure, "\(figure.name): min, median, max")
            }
            return figure.figure(better: direction, origin: origin)
        }
    }
}

extension [BenchRun.Figure] {
    /// The figures with each key once: the place of its first, the values of its last.
    func laidOver() -> Self {
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
