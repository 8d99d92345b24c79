import Foundation
import SystemPackage

/// Writes results as JSON lines to standard output and, on request, to a file.
struct ResultLines {
    private let file: FileDescriptor?
    private let encoder: JSONEncoder

    /// Lines that also go to a new file at `path`.
    init(to path: FilePath?) throws {
        file = try path.map {
            try FileDescriptor.open(
                $0,
                .writeOnly,
                options: [.create, .truncate],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        }
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Writes a line.
    func write(_ line: some Encodable) throws {
        let bytes = try encoder.encode(line) + [UInt8(ascii: "\n")]
        try FileDescriptor.standardOutput.writeAll(bytes)
        _ = try file?.writeAll(bytes)
    }

    /// Writes the figures of a workload, if it has any.
    func write(_ figure: Figure, of workload: String) throws {
        guard let low = figure.values.min(), let high = figure.values.max() else { return }
        try write(
            FigureLine(
                workload: workload,
                name: figure.name,
                system: figure.system,
                unit: figure.unit,
                better: figure.isRate ? "higher" : "lower",
                runs: figure.values.count,
                value: figure.median.short,
                min: low.short,
                median: figure.median.short,
                max: high.short,
                values: figure.values.map(\.short),
                percentiles: figure.percentiles?.mapValues(\.short),
                x: figure.point?.count,
                axis: figure.point?.axis
            )
        )
    }
}

extension Double {
    /// Seven digits are more than any measurement has.
    fileprivate var short: Double {
        guard isFinite, self != 0 else { return 0 }
        let scale = Foundation.pow(10, 6 - Foundation.log10(magnitude).rounded(.down))
        return (self * scale).rounded() / scale
    }
}

/// The line about the run, before its figures.
struct RunLine: Encodable {
    let kind = "run"
    let version = 1
    let date: String
    let commit: String
    let isDirty: Bool
    let machine: String
    let cores: Int
    let memoryBytes: Int
    let os: String
    let kernel: String
    let toolchain: String
    let isQuick: Bool
    let runs: Int
    let command: String
    let load: Double
}

/// A data set that was used.
struct DatasetLine: Encodable {
    let kind = "dataset"
    let name: String
    let blocks: Int
    let blockSize: Int
    let seed: UInt64
    let bytes: Int
    let sha256: String
}

/// The line of one figure.
struct FigureLine: Encodable {
    let kind = "figure"
    let workload: String
    let name: String
    let system: String
    let unit: String
    let better: String
    let runs: Int
    let value: Double
    let min: Double
    let median: Double
    let max: Double
    let values: [Double]
    let percentiles: [String: Double]?
    let x: Int?
    let axis: String?
}

/// The line about work that was skipped.
struct SkippedLine: Encodable {
    let kind = "skipped"
    let workload: String
    let system: String?
    let reason: String
}

/// The line about a busy machine.
struct BusyLine: Encodable {
    let kind = "busy"
    let workload: String
    let detail: String
}

/// The last line of a complete run.
struct EndLine: Encodable {
    let kind = "end"
    let date: String
    let seconds: Double
}

/// A figure in the lines of another process.
struct MeasuredFigure: Decodable {
    let kind: String
    let name: String
    let unit: String
    let median: Double

    /// The figure of a line; nil if the line has none.
    init?(line: some StringProtocol) {
        guard let figure = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)),
            figure.kind == "figure"
        else { return nil }
        self = figure
    }
}
