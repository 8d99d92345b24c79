internal import Foundation

extension BenchRun {
    /// One line of a file, not yet understood.
    struct Line {
        let text: Data
        let number: Int

        func error(_ code: BenchRunError.Code, _ detail: String) -> BenchRunError {
            BenchRunError(code: code, line: number, detail: detail)
        }

        func kind() throws(BenchRunError) -> String {
            do {
                return try JSONDecoder().decode(KindLine.self, from: text).kind
            } catch {
                throw self.error(.malformedLine, "not a JSON object with a kind")
            }
        }

        func decode<Value: Decodable>(_ type: Value.Type) throws(BenchRunError) -> Value {
            do {
                return try JSONDecoder().decode(type, from: text)
            } catch let DecodingError.keyNotFound(key, _) {
                throw error(.malformedValue, "\(key.stringValue) is missing")
            } catch let DecodingError.typeMismatch(_, context) {
                throw error(.malformedValue, "\(path(context)) has the wrong type")
            } catch let DecodingError.valueNotFound(_, context) {
                throw error(.malformedValue, "\(path(context)) is null")
            } catch let DecodingError.dataCorrupted(context) {
                throw error(.malformedValue, "\(path(context)) cannot be read")
            } catch {
                throw self.error(.malformedValue, "\(error)")
            }
        }

        private func path(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "the line" : path
        }
    }

    struct KindLine: Decodable {
        let kind: String
    }

    struct VersionLine: Decodable {
        let version: Int
    }

    struct RunLine: Decodable {
        let date: String
        let commit: String
        let isDirty: Bool?
        let machine: String
        let cores: Int?
        let memoryBytes: Int?
        let os: String
        let kernel: String?
        let toolchain: String
        let isQuick: Bool
        let runs: Int?
        let command: String
        let load: Double?

        var origin: Origin {
            Origin(
                date: date,
                commit: commit,
                isDirty: isDirty ?? false,
                machine: machine,
                cores: cores,
                memoryBytes: memoryBytes,
                os: os,
                kernel: kernel ?? "",
                toolchain: toolchain,
                isQuick: isQuick,
                runs: runs,
                command: command,
                load: load
            )
        }
    }

    struct DatasetLine: Decodable {
        let name: String
        let blocks: Int
        let blockSize: Int
        let seed: UInt64?
        let bytes: Int
        let sha256: String

        var dataset: Dataset {
            Dataset(
                name: name,
                blocks: blocks,
                blockSize: blockSize,
                seed: seed,
                bytes: bytes,
                sha256: sha256
            )
        }
    }

    struct FigureLine: Decodable {
        let workload: String
        let name: String
        let system: String
        let unit: String
        let better: String
        let runs: Int
        let min: Double
        let median: Double
        let max: Double
        let percentiles: [String: Double]?
        let x: Double?
        let axis: String?

        func figure(better: Direction, origin: Origin) -> Figure {
            Figure(
                workload: workload,
                name: name,
                system: system,
                unit: unit,
                better: better,
                runs: runs,
                min: min,
                median: median,
                max: max,
                percentiles: percentiles ?? [:],
                x: x,
                axis: axis,
                origin: origin
            )
        }
    }

    struct SkippedLine: Decodable {
        let workload: String
        let system: String?
        let reason: String

        var skip: Skip { Skip(workload: workload, system: system, reason: reason) }
    }

    struct BusyLine: Decodable {
        let workload: String
        let detail: String

        func spell(origin: Origin) -> BusySpell {
            BusySpell(workload: workload, detail: detail, origin: origin)
        }
    }

    struct EndLine: Decodable {
        let seconds: Double?
    }
}
