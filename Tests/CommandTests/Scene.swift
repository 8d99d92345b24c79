import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport

/// A folder with a store and the CARs of a test.
struct Scene {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The store's directory.
    var store: String { folder.path(of: "store") }

    /// Writes a CAR and returns its path.
    func write(_ car: CARBuilder, to name: String = "sample.car") throws -> String {
        try folder.write(car.bytes, to: name)
    }

    /// Runs a verb of the store.
    func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        try await run(arguments, environment: environment)
    }

    /// Runs a verb of the store.
    func run(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await Command.run(
            arguments + ["--store", store],
            environment: environment,
            in: folder.url.path
        )
    }

    /// Runs a verb of the store, and asks for JSON.
    func json(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        try await Command.run(
            arguments + ["--store", store, "--format", "json"],
            environment: environment,
            in: folder.url.path
        )
    }
}

/// Four sections that every verb has something to say about: raw, version 0, identity, raw again.
enum Sample {
    static let raw = CARBuilder.Block.raw(Array("hello".utf8))
    static let versionZero = CARBuilder.Block.versionZero(Array("world!".utf8))
    static let identity = CARBuilder.Block.identity(Array("id".utf8))
    static let car = CARBuilder(roots: [raw.cid], blocks: [raw, versionZero, identity, raw])

    /// A CID that no sample has.
    static let absent = CARBuilder.Block.raw(Array("absent".utf8)).cid

    /// The header's size.
    static let headerSize = UInt64(CARHeader.encoded(roots: car.roots).count)

    /// The JSON output of `car list` if the payload starts at `dataOffset`.
    static func listing(dataOffset: UInt64 = 0) -> [String] {
        zip(car.blocks, car.sections).map { block, section in
            #"{"cid":"\#(block.cid)","offset":\#(section.offset),"#
                + #""blockOffset":\#(dataOffset + section.dataOffset),"#
                + #""size":\#(block.data.count)}"#
        }
    }

    /// The same CAR with one wrong bit in the data of the section numbered `index`.
    static func withWrongData(in index: Int) -> [UInt8] {
        var bytes = car.bytes
        bytes[Int(car.sections[index].dataOffset)] ^= 1
        return bytes
    }
}
