internal import Foundation

extension BenchRun {
    /// One line of a file, before it is decoded.
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

    private struct KindLine: Decodable { let kind: String }
    struct VersionLine: Decodable { let version: Int }
    struct EndLine: Decodable { let seconds: Double? }

    struct BusyLine: Decodable { let workload, detail: String }
}
