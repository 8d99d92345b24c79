import DAGBytes
import DAGCAR
import DAGHashing
import DAGMounts
import Foundation
import ShardIndex
import SystemPackage
import TestSupport
import Testing

@testable import DAGCARFiles
@testable import DAGStorage

/// Indexing on several threads gives what indexing on one gives.
@Suite("Section pipe")
struct SectionPipeTests {
    /// What an index is made of, in the order of its numbers.
    private final class Pieces: IndexSink {
        var pages: [[UInt8]] = []
        var segments: [[UInt8]] = []
        var inverse: [[UInt8]] = []
        var root: [UInt8] = []
        /// A page fault of a test's own: no page beyond so many is taken.
        var pagesMax = Int.max
        private var spilled: [UInt8] = []

        func writePages(_ number: Int, _ bytes: [UInt8]) throws {
            guard number < pagesMax else { throw DAGStoreError(.catalogFull) }
            #expect(number == pages.count)
            pages.append(bytes)
        }

        func writeSegment(_ number: Int, _ bytes: [UInt8]) {
            #expect(number == segments.count)
            segments.append(bytes)
        }

        func writeInverse(_ number: Int, _ bytes: [UInt8]) {
            #expect(number == inverse.count)
            inverse.append(bytes)
        }

        func spill(_ bytes: ByteView) -> UInt64 {
            defer { spilled.append(bytes) }
            return UInt64(spilled.count)
        }

        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {
            spilled.withView { body($0[Int(offset)..<Int(offset) + size]) }
        }

        /// An array that has been used before keeps nothing of what it had.
        func makeBuffer() -> [UInt8] {
            var buffer = [UInt8](repeating: 0xff, count: 1 << 20)
            buffer.removeAll(keepingCapacity: true)
            return buffer
        }
    }

    private static func building(_ pieces: Pieces, sortBudget: Int = 64 << 20) -> IndexBuilding {
        IndexBuilding(
            hash: KeyedHash(key: (3, 4)),
            policy: .smallest,
            sortBudget: sortBudget,
            sink: pieces
        )
    }

    /// Adds section after section on this thread.
    private static func expected(_ car: CARFile) throws -> Pieces {
        let pieces = Pieces()
        let building = building(pieces)
        var builder = try IndexBuilder(
            hash: building.hash,
            policy: building.policy,
            sortBudget: building.sortBudget,
            dataOffset: car.layout.dataOffset,
            payloadSize: car.layout.dataSize,
            headerSize: car.layout.headerSize,
            roots: car.layout.roots,
            sink: pieces
        )
        var walk = car.walk()
        try walk.forEach { section, digest in
            try builder.append(
                offset: section.offset,
                size: UInt64(section.prefixSize) + section.length,
                layout: section.cid,
                digest: digest
            )
        }
        pieces.root = try builder.finish(dataEnd: walk.position).root.encoded(policy: .smallest)
        return pieces
    }

    private static func car(_ bytes: [UInt8]) throws -> CARFile {
        try CARFile(MemoryBytes(MountBytes(copying: bytes), name: "car"), limits: CARLimits())
    }

    @Test(
        "the pieces are the same byte for byte",
        arguments: [
            [UInt8].manySections(count: 90_000, digestSize: 32, seed: 1),
            [UInt8].manySections(count: 30_000, digestSize: 80, seed: 2),
            CARBuilder.manyMixed(seed: 5).bytes,
            // Digests repeat, and are of two kinds.
            [UInt8].manySections(count: 40_000, digestSize: 32, seed: 6)
                + [UInt8].manySections(count: 40_000, digestSize: 32, seed: 6)
                .dropFirst(CARHeader.encoded(roots: []).count)
                + [UInt8].manySections(count: 20_001, digestSize: 24, seed: 7)
                .dropFirst(CARHeader.encoded(roots: []).count),
        ],
        [4 << 20, 64 << 20]
    )
    func sameBytes(bytes: [UInt8], sortBudget: Int) throws {
        let car = try Self.car(bytes)
        let expected = try Self.expected(car)
        let pieces = Pieces()
        let built = try car.buildIndex(Self.building(pieces, sortBudget: sortBudget))
        #expect(built.root.encoded(policy: .smallest) == expected.root)
        #expect(pieces.pages == expected.pages)
        #expect(pieces.segments == expected.segments)
        if case .run = built.inverse { #expect(!expected.inverse.isEmpty) }
        #expect(pieces.inverse == expected.inverse)
    }

    @Test("a CAR that is damaged somewhere gives the same error", arguments: [100, 50_000, 89_999])
    func sameError(section: Int) throws {
        var bytes = [UInt8].manySections(count: 90_000, digestSize: 32, seed: 1)
        // The version of a CID that is none.
        bytes[CARHeader.encoded(roots: []).count + 37 * section + 1] = 9
        let car = try Self.car(bytes)
        let expected = #expect(throws: CARError.self) { try Self.expected(car) }
        let error = #expect(throws: CARError.self) { try car.buildIndex(Self.building(Pieces())) }
        #expect(error?.code == expected?.code)
        #expect(error?.offset == expected?.offset)
    }

    @Test("a full sink or a caller who cancels ends the scan", arguments: [true, false])
    func ends(isCancelled: Bool) throws {
        let car = try Self.car(.manySections(count: 90_000, digestSize: 32, seed: 1))
        let pieces = Pieces()
        pieces.pagesMax = 1
        var building = Self.building(pieces)
        if isCancelled { building.checkCancelled = { throw CancellationError() } }
        #expect(throws: (any Error).self) { try car.buildIndex(building) }
    }
}
