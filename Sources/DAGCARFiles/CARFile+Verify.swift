internal import DAGBytes
package import DAGCAR
internal import DAGHashing
internal import DAGMounts
package import DAGMultiformats
internal import Dispatch
internal import SharedReads

/// The result of hashing every block of a CAR.
package struct CARVerification: Sendable {
    /// A block whose bytes do not have its CID's hash.
    package struct Mismatch: Sendable, Equatable {
        /// Where its section starts in the payload.
        package let offset: UInt64
        /// Its CID.
        package let cid: CID
    }

    /// All sections, the unverified ones too.
    package var sections: UInt64 = 0
    /// Sections whose hash function this package cannot compute, or whose digest is too short to prove anything.
    package var unverified: UInt64 = 0
    /// Blocks with another hash.
    package var mismatches: UInt64 = 0
    /// The first of them in file order.
    package var firstMismatch: Mismatch?
    /// The first contradiction between the embedded index and the sections, by offset.
    package var indexFault: CARError?
    /// The roots that no section has, in header order; of a malformed file, no section before the fault.
    package var missingRoots: [CID] = []
    /// Bytes after the end of the data that are not all zero; nil if there are none.
    package var ignoredBytes: IgnoredBytes?
    /// Where the file stops being a CAR.
    package var malformation: CARError?

    /// Whether everything holds.
    package var isSound: Bool { mismatches == 0 && indexFault == nil && malformation == nil }

    fileprivate mutating func record(_ mismatch: Mismatch) {
        mismatches += 1
        guard mismatch.offset < firstMismatch?.offset ?? .max else { return }
        firstMismatch = mismatch
    }

    fileprivate mutating func record(indexFault fault: CARError) {
        if let indexFault, indexFault.offset <= fault.offset { return }
        indexFault = fault
    }

    fileprivate mutating func add(_ other: CARVerification) {
        sections += other.sections
        unverified += other.unverified
        let count = mismatches + other.mismatches
        if let mismatch = other.firstMismatch { record(mismatch) }
        mismatches = count
        if let fault = other.indexFault { record(indexFault: fault) }
    }
}

extension CARFile {
    /// Hashes every block, on all processors, and compares an embedded index with the sections.
    ///
    /// A malformed file ends the walk; what came before it is counted. Identity sections may be missing
    /// from an index.
    ///
    /// Nothing is read through a mapping, so that a file that becomes shorter is `truncated`.
    ///
    /// *Cost*: hashing; the walk itself is a hundredth of it. An embedded index takes its size and 16 bytes
    /// an entry of memory. Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - workers: Threads that hash.
    ///   - progress: Told the payload offset reached, now and then.
    /// - Returns: What was found.
    package func verify(
        workers: Int,
        progress: (@Sendable (UInt64) -> Void)? = nil
    ) -> CARVerification {
        let dispenser = SectionDispenser(self)
        let claims: IndexClaims?
        let total = Lock(CARVerification())
        do throws(CARError) {
            claims = try copiedIndex().map { bytes throws(CARError) in try IndexClaims(bytes) }
        } catch {
            claims = nil
            total.withLock { $0.record(indexFault: error) }
        }
        DispatchQueue.concurrentPerform(iterations: max(1, workers)) { _ in
            var own = CARVerification()
            var batch: [Section] = []
            let window = FileWindow(on: source, capacity: 1)
            while dispenser.fill(&batch) {
                let base = batch[0].offset
                let size = Int(batch[batch.count - 1].end - base)
                do throws(MountError) {
                    try window.fill(at: layout.dataOffset + base, size: size)
                } catch {
                    dispenser.stop(CARError(.truncated, at: base, error.detail))
                    break
                }
                let bytes = window.bytes
                for section in batch { Self.verify(section, bytes, base, claims, &own) }
                if let progress { progress(base + UInt64(size)) }
            }
            total.withLock { $0.add(own) }
        }
        var result = total.withLock { $0 }
        result.missingRoots = dispenser.missingRoots
        do throws(CARError) {
            result.malformation = dispenser.error
            if result.malformation == nil {
                result.ignoredBytes = try ignoredBytes(after: dispenser.position)
            }
        } catch {
            result.malformation = error
        }
        guard let claims, result.malformation == nil else { return result }
        if let fault = claims.firstOutside(walk()) { result.record(indexFault: fault) }
        return result
    }

    /// The bytes from the embedded index on, in memory of their own.
    private func copiedIndex() throws(CARError) -> OwnedBytes? {
        guard let offset = layout.indexOffset else { return nil }
        guard offset < source.size else {
            throw CARError(.truncated, at: offset, "the index starts after the file's end")
        }
        do throws(MountError) {
            return try source.read(at: offset, size: Int(source.size - offset))
        } catch {
            throw CARError(.truncated, at: offset, error.detail)
        }
    }

    private static func verify(
        _ section: Section,
        _ bytes: ByteView,
        _ base: UInt64,
        _ claims: IndexClaims?,
        _ result: inout CARVerification
    ) {
        let cid = bytes[Int(section.cidOffset - base)..<Int(section.dataOffset - base)]
        let digest = cid[section.cid.digestOffset..<cid.count]
        let outcome = BlockHash.check(
            code: section.cid.hashCode,
            digest: digest,
            data: bytes[Int(section.dataOffset - base)..<Int(section.end - base)]
        )
        result.sections += 1
        switch outcome {
        case .matches: break
        case .unsupported, .tooShort: result.unverified += 1
        case .differs:
            let cid = CID(bytes: cid.copied, layout: section.cid)
            result.record(CARVerification.Mismatch(offset: section.offset, cid: cid))
        }
        if let fault = claims?.check(section, digest: digest) { result.record(indexFault: fault) }
    }
}

/// Hands sections out in batches, in file order, to the threads that hash them.
private final class SectionDispenser: Sendable {
    /// Data in a batch: enough to make the lock cheap, little enough to share the end evenly.
    private static let batchSize: UInt64 = 1 << 19

    private struct State: ~Copyable {
        var walk: SectionWalk
        var error: CARError?
        var isAtEnd = false
        var roots: RootSearch
    }

    private let state: Lock<State>

    init(_ car: CARFile) {
        state = Lock(State(walk: car.walk(), roots: RootSearch(car.layout.roots)))
    }

    /// Where the walk stands in the payload.
    var position: UInt64 { state.withLock { $0.walk.position } }

    /// The roots that were not met.
    var missingRoots: [CID] { state.withLock { $0.roots.missing } }

    /// The error that ended the walk early, if there was one.
    var error: CARError? { state.withLock { $0.error } }

    /// Ends the walk, unless something ended it before.
    func stop(_ error: CARError) {
        state.withLock { state in
            state.error = state.error ?? error
            state.isAtEnd = true
        }
    }

    /// Takes the next sections; false if there are none.
    func fill(_ batch: inout [Section]) -> Bool {
        batch.removeAll(keepingCapacity: true)
        state.withLock { state in
            guard !state.isAtEnd else { return }
            let start = state.walk.position
            var section = Section.none
            do {
                while state.walk.position - start < Self.batchSize {
                    guard try state.walk.next(into: &section) else {
                        state.isAtEnd = true
                        return
                    }
                    state.roots.check(section.cid, state.walk.digest(of: section))
                    batch.append(section)
                }
            } catch {
                state.error = Self.malformation(error, at: state.walk.position)
                state.isAtEnd = true
            }
        }
        return !batch.isEmpty
    }

    private static func malformation(_ error: any Error, at offset: UInt64) -> CARError {
        if let error = error as? CARError { return error }
        return CARError(.truncated, at: offset, (error as? MountError)?.detail ?? "\(error)")
    }
}

/// The entries of an embedded index, ordered by offset.
private struct IndexClaims: Sendable {
    private struct Claim {
        let offset: UInt64
        let bucket: Int32
        let record: Int32
    }

    /// The bytes of the index.
    private let owner: OwnedBytes
    private let index: CARIndex
    private let claims: [Claim]

    init(_ bytes: OwnedBytes) throws(CARError) {
        let index = try CARIndex(reading: bytes.view)
        guard index.count <= Int(Int32.max), index.buckets.count <= Int(Int32.max) else {
            throw CARError(.limitExceeded, at: 0, "an index of \(index.count) records")
        }
        owner = bytes
        self.index = index
        var claims: [Claim] = []
        claims.reserveCapacity(index.count)
        for (number, bucket) in index.buckets.enumerated() {
            for record in 0..<bucket.count {
                claims.append(
                    Claim(
                        offset: index.entry(record, of: bucket).offset,
                        bucket: Int32(number),
                        record: Int32(record)
                    )
                )
            }
        }
        claims.sort { $0.offset < $1.offset }
        self.claims = claims
    }

    /// Compares what the index says of a section with what it is.
    func check(_ section: Section, digest: ByteView) -> CARError? {
        var low = 0
        var high = claims.count
        while low < high {
            let middle = (low + high) / 2
            if claims[middle].offset < section.offset { low = middle + 1 } else { high = middle }
        }
        guard low < claims.count, claims[low].offset == section.offset else {
            guard !section.cid.isIdentity else { return nil }
            return CARError(.malformedIndex, at: section.offset, "the index lacks this section")
        }
        while low < claims.count, claims[low].offset == section.offset {
            let claim = claims[low]
            let entry = index.entry(Int(claim.record), of: index.buckets[Int(claim.bucket)])
            guard (entry.hashCode ?? section.cid.hashCode) == section.cid.hashCode,
                entry.digest.elementsEqual(digest)
            else {
                return CARError(
                    .malformedIndex,
                    at: section.offset,
                    "the index has another multihash for this section"
                )
            }
            low += 1
        }
        return nil
    }

    /// The first record whose offset is no section's.
    ///
    /// *Cost*: one more walk over the section headers, without hashing.
    func firstOutside(_ walk: SectionWalk) -> CARError? {
        var walk = walk
        var section = Section.none
        var hasSection = false
        var next = 0
        while next < claims.count {
            let offset = claims[next].offset
            while walk.position <= offset, (try? walk.next(into: &section)) == true {
                hasSection = true
            }
            guard hasSection, section.offset == offset else {
                return CARError(.malformedIndex, at: offset, "no section starts here")
            }
            next += 1
        }
        return nil
    }
}
