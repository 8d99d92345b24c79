import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGCatalog
import DAGMounts
import Foundation
import ShardIndex
import SystemPackage
import TestSupport
import Testing

@testable import DAGStorage

/// The machine loses its power while an index is written, published and deleted.
@Suite("Power loss")
struct PowerLossTests {
    private static let kept = CARBuilder.manyMixed(seed: 3)
    private static let lost = CARBuilder.manyMixed(seed: 4)
    /// What the disk may have after each commit, besides all or none of the next one's pages.
    private static let subsetsPerCommit = 3

    @Test(
        "whatever part of the last writes the disk has, the store opens sound, with what was published"
    )
    func everyCommit() async throws {
        let folder = try StoreFolder()
        let history = try await History(in: folder)
        var generator = SplitMix64(seed: 1)
        var lostMetaPages = 0
        for commit in history.commits.indices.dropFirst() {
            for image in history.images(of: commit, subsets: Self.subsetsPerCommit, &generator) {
                if image.isMetaPageLost { lostMetaPages += 1 }
                try await check(image, history, folder)
            }
        }
        #expect(lostMetaPages > 10)
    }

    /// Opens a store over what the disk has, and looks for anything that does not hold.
    private func check(_ image: Image, _ history: History, _ folder: StoreFolder) async throws {
        let path = folder.path(of: "after")
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path + "/catalog",
            withIntermediateDirectories: true
        )
        let data = URL(filePath: path + "/catalog/data.mdb")
        try Data(image.pages.joined()).write(to: data)
        let store = try StoreFolder.open(path)
        var options = CheckOptions()
        options.isDeep = true
        #expect(try await store.check(options).problems == [], "\(image.text)")
        var expected: [Set<String>] = [history.keys[image.commit]]
        if image.isNextCommitWhole { expected = [history.keys[image.commit + 1]] }
        if image.isMetaPageLost { expected.append(history.keys[image.commit - 1]) }
        #expect(expected.contains(Set(store.keys)), "\(image.text): \(store.keys)")
        #expect(try store.engine.catalog.pendingGenerations() == [], "\(image.text)")
        for (key, builder) in [("kept", Self.kept), ("lost", Self.lost)]
        where store.keys.contains(key) {
            let shard = try await store.acquire(key)
            #expect(try await ShardModel(builder).problems(in: shard) == [], "\(image.text)")
        }
        await store.close()
    }

    /// What a disk may have.
    private struct Image {
        let pages: [ArraySlice<UInt8>]
        /// The last commit that had returned.
        let commit: Int
        let isMetaPageLost: Bool
        let isNextCommitWhole: Bool
        let text: String
    }

    /// The data file after every commit of a shard's life.
    private struct History {
        private static let pageSize = 4096

        /// The file after each commit.
        private(set) var commits: [[UInt8]] = []
        /// The keys that a store has after each commit.
        private(set) var keys: [Set<String>] = []
        /// Whether a commit waited for its meta page.
        private var isDurable: [Bool] = []
        private let path: String

        init(in folder: StoreFolder) async throws {
            path = folder.storePath + "/catalog/data.mdb"
            let store = try folder.open { $0.durability = .full }
            try await store.register("kept", folder.mount(PowerLossTests.kept.bytes))
            let mount = try folder.mount(PowerLossTests.lost.bytes, named: "lost.car")
            let catalog = store.engine.catalog
            try note(["kept"], isDurable: true)
            let pieces = Pieces()
            var (record, parts) = try pieces.index(mount, catalog)
            // Each piece a batch of its own: the store writes as many as fit.
            for piece in pieces.all {
                if let generation = parts.generation {
                    try catalog.append([piece], to: generation)
                } else {
                    parts.generation = try catalog.beginGeneration([piece])
                }
                try note(["kept"], isDurable: false)
            }
            record = try catalog.commit([.adopt(record, parts)])[0]
            try note(["kept", "lost"], isDurable: true)
            try catalog.remove(record)
            try note(["kept"], isDurable: true)
            try catalog.deleteGeneration(record.generation)
            try note(["kept"], isDurable: false)
            // Pages that were free before are written anew.
            (record, parts) = try pieces.index(mount, catalog)
            let again = try catalog.beginGeneration(pieces.all)
            try note(["kept"], isDurable: false)
            parts.generation = again
            _ = try catalog.commit([.adopt(record, parts)])
            try note(["kept", "lost"], isDurable: true)
            await store.close()
        }

        private mutating func note(_ keys: Set<String>, isDurable: Bool) throws {
            commits.append(try [UInt8](Data(contentsOf: URL(filePath: path))))
            self.keys.append(keys)
            self.isDurable.append(isDurable)
        }

        /// What the disk may have between a commit and the end of the next one.
        func images(
            of commit: Int,
            subsets: Int,
            _ generator: inout SplitMix64
        ) -> [Image] {
            let now = pages(commit)
            // The meta page of this commit is on its way, unless the commit waited for it.
            let isLossPossible = !isDurable[commit]
            var images = [image(now, commit, "all of commit \(commit)")]
            if isLossPossible {
                images.append(
                    image(losingMeta(of: commit, now), commit, "no meta page", isLost: true)
                )
            }
            guard commit + 1 < commits.count else { return images }
            let next = pages(commit + 1)
            let written = next.indices.filter { $0 > 1 && ($0 >= now.count || next[$0] != now[$0]) }
            for number in 0..<subsets {
                for isLost in isLossPossible ? [false, true] : [false] {
                    var some = isLost ? losingMeta(of: commit, now) : now
                    let zero = ArraySlice(repeating: 0 as UInt8, count: Self.pageSize)
                    while some.count < next.count { some.append(zero) }
                    for place in written where number == 0 || Bool.random(using: &generator) {
                        some[place] = next[place]
                    }
                    let text = "commit \(commit), some of the next: \(number), lost: \(isLost)"
                    images.append(image(some, commit, text, isLost: isLost))
                }
            }
            images.append(image(next, commit, "all of the commit after \(commit)", isWhole: true))
            return images
        }

        private func image(
            _ pages: [ArraySlice<UInt8>],
            _ commit: Int,
            _ text: String,
            isLost: Bool = false,
            isWhole: Bool = false
        ) -> Image {
            Image(
                pages: pages,
                commit: commit,
                isMetaPageLost: isLost,
                isNextCommitWhole: isWhole,
                text: text
            )
        }

        private func pages(_ commit: Int) -> [ArraySlice<UInt8>] {
            let bytes = commits[commit]
            return stride(from: 0, to: bytes.count, by: Self.pageSize).map {
                bytes[$0..<min($0 + Self.pageSize, bytes.count)]
            }
        }

        /// The pages without the meta page that a commit wrote; pages 0 and 1 take turns.
        private func losingMeta(
            of commit: Int,
            _ pages: [ArraySlice<UInt8>]
        ) -> [ArraySlice<UInt8>] {
            let before = self.pages(commit - 1)
            var pages = pages
            for place in 0..<2 { pages[place] = before[place] }
            return pages
        }
    }

    /// Keeps the pieces of an index, to write them one after the other.
    private final class Pieces: IndexSink {
        private(set) var all: [IndexPiece] = []

        /// Builds the index of a CAR.
        func index(
            _ mount: FileMount,
            _ catalog: Catalog
        ) throws -> (record: ShardRecord, parts: IndexParts) {
            all = []
            let file = try LocalFile(opening: mount.path)
            let built = try CARFile(file, limits: CARLimits()).buildIndex(
                IndexBuilding(
                    hash: catalog.hash,
                    policy: .smallest,
                    sortBudget: 1 << 20,
                    sink: self
                )
            )
            var record = ShardRecord(
                number: 0,
                key: "lost",
                mountURL: mount.url.text,
                state: .available
            )
            record.setSizes(built.root)
            SourceFacts(.file, file.identity).apply(to: &record)
            let root = built.root.encoded(policy: .smallest)
            return (
                record, IndexParts(root: root, generation: nil, pieces: [], inverse: built.inverse)
            )
        }

        func writePages(_ number: Int, _ bytes: [UInt8]) {
            all.append(.pages(number: UInt32(number), bytes: bytes))
        }

        func writeSegment(_ number: Int, _ bytes: [UInt8]) {
            all.append(.segment(number: UInt32(number), bytes: bytes))
        }

        func writeInverse(_ number: Int, _ bytes: [UInt8]) {
            all.append(.inverse(number: UInt32(number), bytes: bytes))
        }

        func spill(_ bytes: ByteView) throws -> UInt64 { throw DAGStoreError(.quotaExceeded, "") }

        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {}
    }
}
