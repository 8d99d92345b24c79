/// The ranges that a reader will probably ask for next.
///
/// Two patterns are known. A reader that goes on where it ended gets a window ahead of it, which doubles up to
/// `sizeMax`. A reader that jumps by the same distance each time, as one that reads the headers of large sections, gets
/// its next places; their number doubles too. A guess that was wrong costs its bytes once, and the guesses begin again.
struct ReadAhead {
    /// The bytes between two reads that still count as going on.
    static let slack: UInt64 = 8 << 10
    /// The first window, in bytes; small, because random reads sometimes look like a walk.
    static let windowMin: UInt64 = 16 << 10
    /// The largest read that a jump may have, in bytes.
    static let jumpReadMax: UInt64 = 4096
    /// The most places that are guessed for a reader that jumps.
    static let jumpCountMax = 32
    /// The readers that are told apart.
    static let readersMax = 8

    private struct Reader {
        /// The start and the end of the last read.
        var last: Range<UInt64>
        /// The end of the bytes that were asked for, ahead of the reader.
        var asked: UInt64
        var window: UInt64 = 0
        /// The distance between the last two reads.
        var distance: UInt64 = 0
        /// The places that were guessed at once.
        var jumps = 0
        /// The last place that was guessed.
        var guessed: UInt64 = 0
        var turn: UInt64 = 0
    }

    private let size: UInt64
    private let sizeMax: UInt64
    private var readers: [Reader] = []
    private var turns: UInt64 = 0

    /// Creates a guesser for an object of `size` bytes.
    init(size: UInt64, sizeMax: UInt64) {
        self.size = size
        self.sizeMax = sizeMax
    }

    /// Returns the ranges to read besides `range`; they may be there already.
    mutating func ranges(after range: Range<UInt64>) -> [Range<UInt64>] {
        turns += 1
        if let index = readers.firstIndex(where: { Self.goesOn($0, range) }) {
            return continued(index, range)
        }
        if let index = jumpingReader(range) { return jumped(index, range) }
        add(range)
        return []
    }

    // MARK: Going on

    private static func goesOn(_ reader: Reader, _ range: Range<UInt64>) -> Bool {
        range.lowerBound >= reader.last.upperBound
            && range.lowerBound - reader.last.upperBound <= slack
    }

    private mutating func continued(_ index: Int, _ range: Range<UInt64>) -> [Range<UInt64>] {
        var reader = readers[index]
        defer { readers[index] = reader }
        reader.last = range
        reader.turn = turns
        reader.distance = 0
        reader.jumps = 0
        reader.asked = max(reader.asked, range.upperBound)
        // Half of the window is still ahead: the next one would be small.
        if reader.window > 0, reader.asked - range.upperBound > reader.window / 2 { return [] }
        reader.window = min(max(reader.window * 2, Self.windowMin), sizeMax)
        let end = min(range.upperBound + reader.window, size)
        guard end > reader.asked else { return [] }
        let ahead = reader.asked..<end
        reader.asked = end
        return [ahead]
    }

    // MARK: Jumping

    /// Returns the reader whose last distance leads to `range`, or else the nearest one before it.
    private func jumpingReader(_ range: Range<UInt64>) -> Int? {
        guard range.count <= Self.jumpReadMax else { return nil }
        // A reader that goes on keeps its window, whatever other readers do behind it.
        let before = readers.indices.filter {
            readers[$0].window == 0 && readers[$0].last.upperBound <= range.lowerBound
        }
        let exact = before.first {
            readers[$0].distance > 0
                && readers[$0].last.lowerBound + readers[$0].distance == range.lowerBound
        }
        return exact
            ?? before.max { readers[$0].last.upperBound < readers[$1].last.upperBound }
    }

    private mutating func jumped(_ index: Int, _ range: Range<UInt64>) -> [Range<UInt64>] {
        var reader = readers[index]
        defer { readers[index] = reader }
        let distance = range.lowerBound - reader.last.lowerBound
        let isRight = distance == reader.distance
        reader.last = range
        reader.asked = range.upperBound
        reader.window = 0
        reader.turn = turns
        reader.distance = distance
        guard isRight else {
            reader.jumps = 0
            reader.guessed = range.lowerBound
            return []
        }
        // Half of the guesses are still ahead.
        let ahead =
            reader.guessed > range.lowerBound
            ? (reader.guessed - range.lowerBound) / distance : 0
        if reader.jumps > 0, ahead > UInt64(reader.jumps) / 2 { return [] }
        reader.jumps = min(max(reader.jumps * 2, 1), Self.jumpCountMax)
        var places: [Range<UInt64>] = []
        var place = max(reader.guessed, range.lowerBound)
        while places.count + Int(ahead) < reader.jumps {
            let (next, isOver) = place.addingReportingOverflow(distance)
            guard !isOver, next < size else { break }
            place = next
            places.append(next..<min(next + UInt64(range.count), size))
        }
        reader.guessed = place
        return places
    }

    private mutating func add(_ range: Range<UInt64>) {
        let reader = Reader(last: range, asked: range.upperBound, turn: turns)
        if readers.count < Self.readersMax {
            readers.append(reader)
        } else if let oldest = readers.indices.min(by: { readers[$0].turn < readers[$1].turn }) {
            readers[oldest] = reader
        }
    }
}
