package import DAGMounts
internal import DAGSystem
internal import SharedReads
package import SystemPackage

/// Bytes of remote objects in files, at most `sizeMax` of them.
///
/// The cache appends entries to segments and removes the oldest segment when it is full. At its start it reads the
/// headers of all entries. It reads the bytes of an entry only together with their digest, so bytes that a crash tore
/// or a disk damaged count as missing. Nothing is flushed: after a power failure entries may be missing.
///
/// *Concurrency*: any thread; calls block for the disk. One process uses a folder at a time.
package final class DiskCache: Sendable {
    /// The largest entry, in bytes; larger parts are cut at its multiples.
    static let pieceSizeMax = 65_536
    /// The number of segments in a full cache.
    static let segmentCountMax = 16
    /// The most entries; the oldest segment is removed when there are more.
    static let entryCountMax = 1 << 20

    private struct Place {
        let start: UInt64
        let size: Int
        let segment: CacheSegment
        let position: UInt64
    }

    private struct State {
        var places: [CacheKey: [Place]] = [:]
        var count = 0
        var segments: [CacheSegment] = []
        var isWritable = true
        var damaged = 0
    }

    private let folder: FilePath
    private let lockFile: FileDescriptor
    private let segmentSizeMax: UInt64
    private let state: Lock<State>

    /// Opens the cache in `folder`, and creates the folder if it is missing.
    ///
    /// - Parameters:
    ///   - folder: The folder; only this cache uses it.
    ///   - sizeMax: The most bytes on the disk, at least 1 MiB.
    /// - Throws: `.unreachable` if another process uses the folder; `.full`, `.outOfResources`.
    package init(at folder: FilePath, sizeMax: UInt64) throws(MountError) {
        self.folder = folder
        segmentSizeMax = max(sizeMax, 1 << 20) / UInt64(Self.segmentCountMax)
        do {
            if !FileSystem.isDirectory(folder) { try FileSystem.makeDirectory(folder) }
            lockFile = try FileDescriptor.opening(
                folder.appending("lock"),
                .readWrite,
                options: .create,
                permissions: .ownerReadWrite
            )
        } catch {
            throw MountError(error, path: folder)
        }
        do {
            try lockFile.lockWithoutWaiting()
        } catch {
            try? lockFile.close()
            throw MountError(.unreachable, "cache: \(folder): another process uses it")
        }
        var state = State()
        let names = (try? FileSystem.names(in: folder)) ?? []
        for number in names.compactMap(CacheSegment.number(ofName:)).sorted() {
            Self.load(number, folder, into: &state)
        }
        self.state = Lock(state)
    }

    deinit {
        // A process that starts at this moment may have a copy of the descriptor.
        lockFile.unlock()
        try? lockFile.close()
    }

    /// The number of entries whose bytes were not what was written.
    var damagedCount: Int { state.withLock { $0.damaged } }

    /// The bytes of all segments.
    var size: UInt64 { state.withLock { $0.segments.reduce(0) { $0 + $1.size } } }

    /// Adds the parts of a range that are cached to `assembly`.
    func read(_ key: CacheKey, into assembly: inout Assembly) {
        let range = assembly.range
        let places = state.withLock { state in
            Self.places(in: range, of: state.places[key] ?? [])
        }
        for place in places {
            guard
                let bytes = place.segment.entry(
                    key,
                    place.start,
                    size: place.size,
                    at: place.position
                )
            else {
                state.withLock { $0.damaged += 1 }
                continue
            }
            assembly.add(bytes[...], at: place.start)
        }
    }

    /// Returns the parts of a range that no entry names; does not read the entries.
    func missing(_ key: CacheKey, in range: Range<UInt64>) -> [Range<UInt64>] {
        let places = state.withLock { state in
            Self.places(in: range, of: state.places[key] ?? [])
        }
        var missing: [Range<UInt64>] = []
        var position = range.lowerBound
        for place in places {
            if place.start > position { missing.append(position..<place.start) }
            position = max(position, place.start + UInt64(place.size))
        }
        if position < range.upperBound { missing.append(position..<range.upperBound) }
        return missing
    }

    /// Appends bytes; an error of the disk ends all later writes, and a full disk gets all room of the cache back.
    func insert(_ bytes: [UInt8], _ key: CacheKey, at start: UInt64) {
        var position = 0
        while position < bytes.count {
            let offset = start + UInt64(position)
            let pieceSize = UInt64(Self.pieceSizeMax)
            let next = (offset / pieceSize + 1) * pieceSize
            let end = min(position + Int(next - offset), bytes.count)
            state.withLock { append(Array(bytes[position..<end]), key, at: offset, &$0) }
            position = end
        }
    }

    private func append(
        _ bytes: [UInt8],
        _ key: CacheKey,
        at start: UInt64,
        _ state: inout State
    ) {
        let range = start..<start + UInt64(bytes.count)
        let known = Self.places(in: range, of: state.places[key] ?? [])
        let isKnown = known.contains { place in
            place.start <= start && place.start + UInt64(place.size) >= range.upperBound
        }
        guard state.isWritable, !isKnown else { return }
        do throws(Errno) {
            let segment = try writableSegment(&state)
            let place = Place(
                start: start,
                size: bytes.count,
                segment: segment,
                position: try segment.append(bytes, key, start)
            )
            Self.add(place, key, to: &state)
        } catch {
            state.isWritable = false
            // The store on the same disk needs the room more: its catalog takes no change without.
            if [.noSpace, .diskQuotaExceeded].contains(error) { Self.removeAll(&state) }
        }
    }

    private static func removeAll(_ state: inout State) {
        for segment in state.segments { segment.remove() }
        state.segments = []
        state.places = [:]
        state.count = 0
    }

    /// Returns a segment with room, and removes the oldest ones if the cache is full.
    private func writableSegment(_ state: inout State) throws(Errno) -> CacheSegment {
        if let last = state.segments.last, last.isWritable, last.size < segmentSizeMax,
            state.count < Self.entryCountMax
        {
            return last
        }
        while state.segments.count >= Self.segmentCountMax || state.count >= Self.entryCountMax {
            guard !state.segments.isEmpty else { break }
            let oldest = state.segments.removeFirst()
            oldest.remove()
            for (key, places) in state.places {
                let kept = places.filter { $0.segment !== oldest }
                guard kept.count < places.count else { continue }
                state.count -= places.count - kept.count
                state.places[key] = kept.isEmpty ? nil : kept
            }
        }
        let number = (state.segments.last?.number ?? 0) + 1
        let segment = try CacheSegment(creating: number, in: folder)
        state.segments.append(segment)
        return segment
    }

    private static func load(_ number: UInt64, _ folder: FilePath, into state: inout State) {
        guard let segment = try? CacheSegment(opening: number, in: folder) else { return }
        let entries = segment.entries()
        guard !entries.isEmpty else { return segment.remove() }
        state.segments.append(segment)
        for entry in entries {
            let place = Place(
                start: entry.start,
                size: entry.size,
                segment: segment,
                position: entry.position
            )
            add(place, entry.key, to: &state)
        }
    }

    /// Inserts a place in the order of the offsets; of equal offsets the newest stands last.
    private static func add(_ place: Place, _ key: CacheKey, to state: inout State) {
        let index = firstIndex(of: state.places[key] ?? [], after: place.start)
        state.places[key, default: []].insert(place, at: index)
        state.count += 1
    }

    /// Returns the places that have bytes of a range.
    ///
    /// An entry has at most `pieceSizeMax` bytes, so earlier ones do not reach into the range.
    private static func places(in range: Range<UInt64>, of places: [Place]) -> [Place] {
        let reach = UInt64(pieceSizeMax)
        let from = range.lowerBound > reach ? range.lowerBound - reach : 0
        let first = firstIndex(of: places, from: from)
        return places[first...].prefix { $0.start < range.upperBound }
            .filter { $0.start + UInt64($0.size) > range.lowerBound }
    }

    private static func firstIndex(of places: [Place], from start: UInt64) -> Int {
        start == 0 ? 0 : firstIndex(of: places, after: start - 1)
    }

    /// Returns the index of the first place behind `start`.
    private static func firstIndex(of places: [Place], after start: UInt64) -> Int {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].start > start { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
