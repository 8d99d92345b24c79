import DAGBytes
import DAGHashing
import DAGMultiformats
import Foundation
import TestSupport
import Testing

@testable import DAGIPLD

/// The codec fixtures of the IPLD project.
@Suite("Codec fixtures", .enabled(if: Vectors.areHere))
struct CodecVectorTests {
    /// A block, in the file that its CID names.
    struct Fixture: CustomTestStringConvertible, Sendable {
        var url: URL
        var testDescription: String {
            "\(url.deletingLastPathComponent().lastPathComponent).\(url.pathExtension)"
        }

        static func all(_ codec: String) throws -> [Fixture] {
            let root = Vectors.url("public-repos/codec-fixtures/fixtures")
            let manager = FileManager.default
            return try manager.contentsOfDirectory(atPath: root.path).sorted().flatMap { name in
                let folder = root.appending(path: name)
                return try manager.contentsOfDirectory(atPath: folder.path)
                    .filter { $0.hasSuffix(".\(codec)") }
                    .map { Fixture(url: folder.appending(path: $0)) }
            }
        }
    }

    @Test(
        "a block of dag-cbor is read, and its items make the same block again",
        arguments: Vectors.areHere ? try Fixture.all("dag-cbor") : []
    )
    func dagCBOR(fixture: Fixture) throws {
        let bytes = [UInt8](try Data(contentsOf: fixture.url))
        let cid = try CID(fixture.url.deletingPathExtension().lastPathComponent)
        #expect(cid.codec == Codec.dagCBOR)
        #expect(
            bytes.withView { block in
                cid.withDigest { BlockHash.check(code: cid.hashCode, digest: $0, data: block) }
            } == .matches
        )
        let items = try ItemList(dagCBOR: bytes)
        #expect(items.dagCBOR == bytes)
        let links = try bytes.withView { try LinkList(of: $0, codec: Codec.dagCBOR) }
        #expect((0..<links.count).map { links[$0] } == items.links)
        // The folder `cid-…` names the link in its block.
        let name = fixture.url.deletingLastPathComponent().lastPathComponent
        if name.hasPrefix("cid-"), let link = try? CID(String(name.dropFirst(4))) {
            #expect(items.links == [link])
        }
    }

    @Test(
        "the items of a block of dag-cbor survive dag-json",
        arguments: Vectors.areHere ? try Fixture.all("dag-cbor") : []
    )
    func dagJSON(fixture: Fixture) throws {
        let bytes = [UInt8](try Data(contentsOf: fixture.url))
        let items = try ItemList(dagCBOR: bytes)
        let text = items.dagJSON
        // The keys have another order there: by their bytes.
        var limits = DAGLimits()
        limits.requiresCanonicalForm = false
        #expect(try ItemList(dagJSON: text, limits: limits) == items)
        let links = try text.withView {
            try LinkList(of: $0, codec: Codec.dagJSON, limits: limits)
        }
        #expect((0..<links.count).map { links[$0] } == items.links)
    }

    @Test(
        "a block of dag-pb is read, and its fields make the same block again",
        arguments: Vectors.areHere ? try Fixture.all("dag-pb") : []
    )
    func dagPB(fixture: Fixture) throws {
        let bytes = [UInt8](try Data(contentsOf: fixture.url))
        let node = try bytes.withView { try DagPBNode(decoding: $0) }
        let links = bytes.withView { block in
            node.links.map { link in
                DAGBlocks.Link(
                    node.cid(of: link, in: block),
                    name: link.name.map { String(decoding: bytes[$0], as: UTF8.self) },
                    totalSize: link.totalSize
                )
            }
        }
        let data = node.data.map { Array(bytes[$0]) }
        #expect(DAGBlocks.dagPBBytes(links, data: data) == bytes)
        let list = try bytes.withView { try LinkList(of: $0, codec: Codec.dagPB) }
        #expect((0..<list.count).map { list[$0] } == links.map(\.cid))
    }

    /// One of the fixtures that must be refused.
    struct Negative: Decodable, CustomTestStringConvertible, Sendable {
        var name: String
        var hex: String
        var error: String
        var testDescription: String { name }

        static func all(_ path: String) throws -> [Negative] {
            let url = Vectors.url("public-repos/codec-fixtures/negative-fixtures/\(path)")
            return try JSONDecoder().decode([Negative].self, from: Data(contentsOf: url))
        }
    }

    @Test(
        "a wrong block of dag-pb is refused",
        arguments: Vectors.areHere ? try Negative.all("dag-pb/decode/edges.json") : []
    )
    func negativeDagPB(fixture: Negative) throws {
        let bytes = try #require([UInt8](hexadecimal: fixture.hex))
        #expect(throws: IPLDError(.malformedBlock)) {
            try bytes.withView { try DagPBNode(decoding: $0) }
        }
    }

    @Test(
        "a wrong block of dag-cbor is refused, in canonical form or not",
        arguments: Vectors.areHere ? try Negative.all("dag-cbor/decode/duplicate-keys.json") : [],
        [true, false]
    )
    func negativeDagCBOR(fixture: Negative, isCanonical: Bool) throws {
        let bytes = try #require([UInt8](hexadecimal: fixture.hex))
        var limits = DAGLimits()
        limits.requiresCanonicalForm = isCanonical
        #expect(throws: IPLDError(.malformedBlock)) {
            try ItemList(dagCBOR: bytes, limits: limits)
        }
    }

    @Test("blocks of real CARs are in canonical form", arguments: ["dag-cbor", "dag-pb"])
    func realBlocks(codec: String) throws {
        var count = 0
        let cars = Set(Vectors.publicSections.map(\.file))
        for path in cars.sorted() {
            guard let (dag, _) = try? MemoryDAG.vector(path), dag.blocks.count < 5000 else {
                continue
            }
            let sections = try #require(Vectors.publicSections.first { $0.file == path })
            for section in sections.sections {
                let cid = try CID(section.cid)
                guard Codec.name(of: cid.codec) == codec, !cid.isIdentity,
                    let bytes = dag.blocks[cid.multihash]
                else { continue }
                count += 1
                #expect(throws: Never.self, "\(path): \(cid)") {
                    try bytes.withView { try LinkList(of: $0, codec: cid.codec) }
                }
            }
        }
        #expect(count > 500)
    }
}
