/// A guess of the next distances between section headers.
///
/// The forecast remembers which distance followed each distance, and gives a follower up when it was wrong more often
/// than right. So runs of equal blocks with odd ones between them, and short patterns, are guessed; after a distance
/// that is new, the usual one comes.
///
/// *Cost*: O(1). *Memory*: `distancesMax` distances.
struct SectionForecast {
    /// The distances that are remembered; then the memory begins again.
    static let distancesMax = 64
    /// The most surprises in a row that a follower outlasts.
    private static let trustMax = 3

    private struct Follower {
        var distance: UInt64
        var trust = 1
    }

    private var followers: [UInt64: Follower] = [:]
    private var last: UInt64 = 0
    private var usual: UInt64 = 0

    /// Adds the distance between the last two headers.
    mutating func record(_ distance: UInt64) {
        if usual == 0 || distance == last { usual = distance }
        if last > 0 { record(distance, after: last) }
        last = distance
    }

    private mutating func record(_ distance: UInt64, after previous: UInt64) {
        guard var follower = followers[previous] else {
            if followers.count >= Self.distancesMax { followers = [:] }
            followers[previous] = Follower(distance: distance)
            return
        }
        if follower.distance == distance {
            follower.trust = min(follower.trust + 1, Self.trustMax)
        } else {
            follower.trust -= 1
            if follower.trust == 0 { follower = Follower(distance: distance) }
        }
        followers[previous] = follower
    }

    /// Returns the distance that probably comes after `distance`; nil before the first record.
    func next(after distance: UInt64) -> UInt64? {
        let next = followers[distance]?.distance ?? usual
        return next > 0 ? next : nil
    }

    /// The last distance; 0 before the first record.
    var lastDistance: UInt64 { last }
}
