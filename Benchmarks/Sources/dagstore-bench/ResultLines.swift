import Foundation
import SystemPackage

/// Where results go: a JSON line each, on standard output and, if asked for, in a file.
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

    /// Writes what a workload measured; of nothing, nothing.
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

/// Under what circumstances the figures that follow were measured.
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

/// What one workload measured.
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

/// What was not measured, and why.
struct SkippedLine: Encodable {
    let kind = "skipped"
    let workload: String
    let system: String?
    let reason: String
}

/// That the machine had other things to do.
struct BusyLine: Encodable {
    let kind = "busy"
    let workload: String
    let detail: String
}

/// That a run came to its end.
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
