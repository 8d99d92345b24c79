internal import ShardIndex
internal import Synchronization

/// Decoded index pages, bounded in bytes.
///
/// Sixteen stripes with a lock each; within a stripe CLOCK: a page that was used since the hand last came
/// by is passed over once.
///
/// *Concurrency*: any thread.
final class PageCache: Sendable {
    /// Which page of which index.
    struct Key: Hashable {
        let generation: UInt64
        let page: Int
    }

    private struct Slot {
        var key: Key
        var page: DecodedPage
        var wasUsed: Bool
    }

    private struct Stripe: ~Copyable {
        var places: [Key: Int] = [:]
        var slots: [Slot] = []
        var hand = 0
        var cost = 0
        var hits: UInt64 = 0
        var misses: UInt64 = 0
    }

    private final class StripeBox: Sendable {
        let stripe = Mutex(Stripe())
    }

    private static let stripeCount = 16
    private let stripes = (0..<stripeCount).map { _ in StripeBox() }
    private let costMax: Int

    /// A cache of at most about `sizeMax` bytes.
    init(sizeMax: Int) { costMax = sizeMax / Self.stripeCount }

    /// A page, from the cache or from `decode`, which runs without a lock.
    func page(_ key: Key, decode: () throws -> DecodedPage) throws -> DecodedPage {
        let box = stripes[(key.page ^ Int(truncatingIfNeeded: key.generation)) & 15]
        let found = box.stripe.withLock { stripe -> DecodedPage? in
            guard let place = stripe.places[key] else {
                stripe.misses += 1
                return nil
            }
            stripe.hits += 1
            stripe.slots[place].wasUsed = true
            return stripe.slots[place].page
        }
        if let found { return found }
        let page = try decode()
        box.stripe.withLock { Self.insert(page, key, &$0, costMax) }
        return page
    }

    private static func insert(
        _ page: DecodedPage,
        _ key: Key,
        _ stripe: inout Stripe,
        _ costMax: Int
    ) {
        guard stripe.places[key] == nil, page.cost <= costMax else { return }
        while stripe.cost + page.cost > costMax { evictOne(&stripe) }
        stripe.places[key] = stripe.slots.count
        stripe.slots.append(Slot(key: key, page: page, wasUsed: false))
        stripe.cost += page.cost
    }

    private static func evictOne(_ stripe: inout Stripe) {
        while true {
            if stripe.hand >= stripe.slots.count { stripe.hand = 0 }
            guard stripe.slots[stripe.hand].wasUsed else { break }
            stripe.slots[stripe.hand].wasUsed = false
            stripe.hand += 1
        }
        let evicted = stripe.slots[stripe.hand]
        stripe.cost -= evicted.page.cost
        stripe.places[evicted.key] = nil
        let last = stripe.slots.removeLast()
        guard stripe.hand < stripe.slots.count else { return }
        stripe.slots[stripe.hand] = last
        stripe.places[last.key] = stripe.hand
    }

    /// Forgets the pages of a generation that is about to be deleted.
    func remove(generation: UInt64) {
        for box in stripes {
            box.stripe.withLock { stripe in
                let kept = stripe.slots.filter { $0.key.generation != generation }
                guard kept.count != stripe.slots.count else { return }
                stripe.slots = kept
                stripe.cost = kept.reduce(0) { $0 + $1.page.cost }
                stripe.places = [:]
                for (place, slot) in kept.enumerated() { stripe.places[slot.key] = place }
            }
        }
    }

    /// Hits, misses and bytes so far.
    var usage: (hits: UInt64, misses: UInt64, bytes: Int) {
        stripes.reduce((0, 0, 0)) { sum, box in
            box.stripe.withLock { (sum.0 + $0.hits, sum.1 + $0.misses, sum.2 + $0.cost) }
        }
    }
}
