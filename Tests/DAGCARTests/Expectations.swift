import DAGBytes
import DAGCAR
import TestSupport
import Testing

/// Records an issue unless `body` throws a `CARError` with this code at this offset.
///
/// Errors compare only their codes, so `#expect(throws:)` would accept a wrong offset.
func expectError(
    _ code: CARError.Code,
    at offset: UInt64,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let error = #expect(throws: CARError.self, sourceLocation: sourceLocation) { try body() }
    guard let error else { return }
    #expect(error == CARError(code, at: offset), sourceLocation: sourceLocation)
    #expect(error.offset == offset, "\(error)", sourceLocation: sourceLocation)
}

extension CARHeader {
    init(bytes: [UInt8], limits: CARLimits = CARLimits(), base: UInt64 = 0) throws(CARError) {
        self = try bytes.withView { view throws(CARError) in
            try CARHeader(reading: view, limits: limits, base: base)
        }
    }
}

extension CARLayout {
    init(bytes: [UInt8], limits: CARLimits = CARLimits()) throws(CARError) {
        self = try bytes.withView { view throws(CARError) in
            try CARLayout(reading: view, limits: limits)
        }
    }
}

extension [UInt8] {
    /// Little-endian.
    func integer(at offset: Int) -> UInt64 {
        withView { $0.loadUInt64(at: offset) }
    }

    /// Writes a little-endian integer over eight bytes.
    mutating func set(_ value: UInt64, at offset: Int) {
        for index in 0..<8 {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }
}
