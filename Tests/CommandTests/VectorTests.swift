import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

/// CARs that others wrote, through the program.
@Suite("Vectors", .enabled(if: Vectors.areHere, "the vectors' folder is not here"))
struct VectorTests {
    /// The expected results of a CAR.
    struct Expectation: Sendable, CustomStringConvertible {
        /// The file's path.
        let path: String
        /// Whether the header can be read.
        var opens = true
        /// Whether every section can be read.
        var isWellFormed = true
        /// Whether every known hash holds and an embedded index does.
        var isSound = true
        /// The members that `car inspect` prints, as far as they are known.
        var report: [String: JSON] = [:]
        /// The sections: CID, offset, place of the data in the file, size; nil if not known.
        var sections: [[JSON]]?

        var description: String { path }
    }

    /// All of them.
    static let all = (publicCARs + referenceCARs).sorted { $0.path < $1.path }

    // MARK: Manifests

    private static let publicCARs: [Expectation] = {
        let sections = Dictionary(
            uniqueKeysWithValues: Vectors.publicSections.map { ($0.file, $0) }
        )
        return Vectors.publicVectors.filter { $0.kind == "car" }.map { vector in
            expectation(of: vector, sections[vector.file])
        }
    }()

    private static func expectation(
        of vector: PublicVector,
        _ sections: PublicSections?
    ) -> Expectation {
        let findings = vector.findings
        var expectation = Expectation(path: Vectors.url(vector.path).path)
        // The reader behind the findings took this header; the manifest's expectation refuses it.
        let isRefused = vector.file == "go-car-hex/hdr-extra-field.car"
        expectation.opens = findings?.openError == nil && !isRefused
        // A zero length ends the data here; the reader of the manifest rejects it.
        let isPadded = vector.file.hasSuffix("sample-v1-with-zero-len-section.car")
        expectation.isWellFormed = findings?.sectionError == nil || isPadded
        expectation.isSound = findings?.indexError == nil && (findings?.hashMismatches ?? 0) == 0
        expectation.sections = sections.map { list in
            list.sections.map { row(of: $0, list.dataOffset) }
        }
        if findings?.blocks == 0 { expectation.sections = [] }
        guard let findings, expectation.opens else { return expectation }
        expectation.report = report(of: findings, fileSize: vector.size)
        if isPadded, let last = sections?.sections.last {
            let end = last.offset + last.headSize + last.dataSize
            expectation.report["nullPadding"] = .number(Double(UInt64(vector.size) - end))
        }
        return expectation
    }

    private static func report(
        of findings: PublicVector.Findings,
        fileSize: Int
    ) -> [String: JSON] {
        let two = findings.versionTwo
        var report: [String: JSON] = [
            "version": two == nil ? 1 : 2,
            "roots": .array((findings.roots ?? []).map(JSON.string)),
            "dataOffset": .number(Double(two?.dataOffset ?? 0)),
            "dataSize": .number(Double(two?.dataSize ?? UInt64(fileSize))),
            "indexOffset": .number(Double(two?.indexOffset ?? 0)),
            "fullyIndexed": .bool(two?.isFullyIndexed ?? false),
            "nullPadding": 0,
        ]
        if let codec = findings.index?.codec {
            report["indexCodec"] = .string(codec.replacing("0x", with: "0x0"))
        }
        report["sections"] = findings.blocks.map { .number(Double($0)) }
        report["identitySections"] = findings.identityBlocks.map { .number(Double($0)) }
        report["duplicateSections"] = findings.duplicates.map { .number(Double($0)) }
        report["maxBlock"] = findings.largestBlock.map { .number(Double($0)) }
        report["codecs"] = findings.codecs.map(counts)
        report["hashes"] = findings.multihashes.map(counts)
        return report
    }

    private static func counts(_ counts: [String: Int]) -> JSON {
        .object(counts.mapValues { .number(Double($0)) })
    }

    private static func row(of row: PublicSections.Row, _ dataOffset: UInt64) -> [JSON] {
        let place = dataOffset + row.offset + row.headSize
        return [
            .string(row.cid), .number(Double(row.offset)), .number(Double(place)),
            .number(Double(row.dataSize)),
        ]
    }

    private static let referenceCARs: [Expectation] = Vectors.reference.map { car in
        var expectation = Expectation(path: Vectors.url(car.path).path)
        expectation.opens = car.openError == nil
        expectation.isWellFormed = car.skipError == nil
        expectation.isSound = car.verifyError == nil
        guard expectation.opens else { return expectation }
        let two = car.versionTwo
        expectation.report = [
            "version": .number(Double(car.version ?? 0)),
            "roots": .array((car.roots ?? []).map(JSON.string)),
            "dataOffset": .number(Double(two?.dataOffset ?? 0)),
            "dataSize": .number(Double(two?.dataSize ?? UInt64(car.size))),
            "indexOffset": .number(Double(two?.indexOffset ?? 0)),
            "fullyIndexed": .bool(two?.isFullyIndexed ?? false),
            "sections": .number(Double(car.blocks?.count ?? 0)),
        ]
        expectation.sections = (car.blocks ?? []).map { block in
            [
                .string(block.cid), .number(Double(block.sectionOffset)),
                .number(Double(block.fileOffset)), .number(Double(block.dataSize)),
            ]
        }
        return expectation
    }

    // MARK: One CAR

    @Test("all vectors are present")
    func count() {
        #expect(Self.all.count > 100)
        #expect(Self.all.count { !$0.opens } > 10)
        #expect(Self.all.count { $0.opens && !$0.isWellFormed } > 4)
        #expect(Self.all.count { $0.isWellFormed && !$0.isSound } > 4)
    }

    @Test("car inspect matches the manifest", arguments: all)
    func inspect(car: Expectation) async throws {
        let outcome = try await Command.run(["car", "inspect", car.path, "--format", "json"])
        guard car.opens, car.isWellFormed else {
            try expectRefusal(outcome)
            #expect(outcome.out.isEmpty)
            return
        }
        let report = try #require(outcome.objects.first)
        for (name, value) in car.report {
            #expect(report[name] == value, "\(name)")
        }
        #expect(outcome.status == 0)
    }

    @Test("car list matches the manifest", arguments: all)
    func list(car: Expectation) async throws {
        let outcome = try await Command.run(["car", "list", car.path, "--format", "json"])
        if let sections = car.sections { #expect(Self.rows(outcome.objects) == sections) }
        if car.opens, car.isWellFormed {
            #expect(outcome.status == 0)
        } else {
            try expectRefusal(outcome)
        }
    }

    @Test("car verify matches the manifest", arguments: all)
    func verify(car: Expectation) async throws {
        let outcome = try await Command.run(["car", "verify", car.path, "--format", "json"])
        let isSound = car.opens && car.isWellFormed && car.isSound
        #expect(outcome.objects.count == (car.opens ? 1 : 0))
        if car.opens { #expect(outcome.objects.first?["ok"] == .bool(isSound)) }
        if isSound {
            #expect(outcome.status == 0)
        } else {
            try expectRefusal(outcome)
        }
    }

    private func expectRefusal(_ outcome: Outcome) throws {
        #expect(outcome.status == 5)
        let code = try #require(outcome.error["code"]?.text)
        let codes = [
            "malformedCAR", "truncated", "unsupportedVersion", "limitExceeded", "hashMismatch",
            "malformedIndex",
        ]
        #expect(codes.contains(code))
        #expect(outcome.error["offset"]?.integer != nil)
    }

    private static func rows(_ objects: [JSON]) -> [[JSON]] {
        objects.map { object in
            ["cid", "offset", "blockOffset", "size"].map { object[$0] ?? .null }
        }
    }

    // MARK: Indexes

    /// An index that go-car wrote, or that it could not write.
    struct IndexCase: Sendable, CustomStringConvertible {
        let car: String
        let options: [String]
        /// The index; nil if the CAR is to be refused.
        let index: String?

        var description: String { "\(car) \(options.joined(separator: " "))" }
    }

    static let indexCases: [IndexCase] = {
        var cases = Vectors.reference.flatMap { car in
            car.indices.sorted { $0.key < $1.key }.compactMap { name, generated -> IndexCase? in
                let parts = name.split(separator: ".")
                let identity = parts.contains("noident") ? "--no-identity" : "--identity"
                // go-car seeks past the end of the last section of this one and sees no fault.
                let isRefused = generated.file == nil || car.file.hasSuffix("bad-truncated.car")
                return IndexCase(
                    car: Vectors.url(car.path).path,
                    options: ["--codec", "0x" + parts[0], identity],
                    index: isRefused
                        ? nil : generated.file.map { Vectors.url("go-dagstore/" + $0).path }
                )
            }
        }
        let samples = "public-repos/go-car/v2/testdata/"
        let sample = Vectors.areHere ? Vectors.url(samples + "sample-v1.car").path : ""
        let indexes = [
            ("sample-index.carindex", ["--codec", "0x0400", "--identity"]),
            ("sample-multihash-index-sorted.carindex", []),
        ]
        guard Vectors.areHere else { return [] }
        for (name, options) in indexes {
            let index = Vectors.url(samples + name).path
            cases.append(IndexCase(car: sample, options: options, index: index))
        }
        return cases
    }()

    @Test("car index writes the bytes of go-car", arguments: indexCases)
    func index(wanted: IndexCase) async throws {
        let arguments = ["car", "index", wanted.car, "-o", "-", "--format", "json"]
        let outcome = try await Command.run(arguments + wanted.options)
        guard let index = wanted.index else {
            try expectRefusal(outcome)
            #expect(outcome.out.isEmpty)
            return
        }
        #expect(try outcome.out == URL(filePath: index).bytes())
        #expect(outcome.status == 0)
    }

    // MARK: A store of all of them

    @Test("one store holds all vectors")
    func store() async throws {
        let scene = try Scene()
        for car in Self.all {
            let outcome = try await scene.json("register", car.path, "--key", car.path)
            let isGood = car.opens && car.isWellFormed
            #expect(outcome.status == (isGood ? 0 : 5), "\(car)")
            #expect(outcome.objects.first?["state"] == (isGood ? "available" : "failed"), "\(car)")
        }
        let listed = try await scene.json("list").objects
        #expect(listed.map { $0["key"]?.text } == Self.all.map(\.path))
        try await withThrowingTaskGroup { group in
            for car in Self.all where car.opens && car.isWellFormed {
                group.addTask { try await check(car, in: scene) }
            }
            try await group.waitForAll()
        }
    }

    /// Compares the index of a shard with the CAR, and reads some of its blocks.
    private func check(_ car: Expectation, in scene: Scene) async throws {
        let listed = try await scene.json("index", "list", car.path).objects
        let sections = try #require(car.sections)
        #expect(
            listed.map { [$0["cid"], $0["offset"], $0["size"]] }
                == sections.map { [$0[0], $0[1], $0[3]] },
            "\(car)"
        )
        let file = try URL(filePath: car.path).bytes()
        for index in Set([0, sections.count / 2, sections.count - 1]) where index >= 0 {
            guard index < sections.count, let text = sections[index][0].text else { continue }
            let cid = try CID(text)
            // The first of equal multihashes counts; an identity CID has its block in itself.
            let first = try sections.first { try CID($0[0].text ?? "").multihash == cid.multihash }
            let place = Int(first?[2].integer ?? 0)
            let data = Array(file[place..<place + Int(first?[3].integer ?? 0)])
            let outcome = try await scene.run("get", text, "--shard", car.path, "--verify")
            if car.isSound || outcome.status == 0 {
                #expect(outcome.out == (cid.isIdentity ? cid.digest : data), "\(car) \(text)")
                #expect(outcome.status == 0, "\(car) \(text)")
            } else {
                #expect(outcome.status == 5, "\(car) \(text)")
            }
        }
    }
}
