/// A set of small integers, one bit each.
package struct BitSet: Sendable {
    /// The number of integers that the set can have, from 0 on.
    package let count: Int
    private var words: [UInt64]

    /// Creates an empty set for the integers below `count`.
    package init(count: Int) {
        self.count = count
        words = Array(repeating: 0, count: (count + 63) / 64)
    }

    /// Removes all integers and keeps the memory.
    package mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    /// Returns whether the set has an integer, which is below `count`.
    package func contains(_ bit: Int) -> Bool { words[bit >> 6] >> UInt64(bit & 63) & 1 == 1 }

    /// Adds an integer, which is below `count`.
    ///
    /// - Returns: Whether it is new in the set.
    @discardableResult
    package mutating func insert(_ bit: Int) -> Bool {
        guard !contains(bit) else { return false }
        words[bit >> 6] |= 1 << UInt64(bit & 63)
        return true
    }

    /// Returns the least integer in both sets.
    package func firstCommon(with other: BitSet) -> Int? {
        for (index, (word, otherWord)) in zip(words, other.words).enumerated()
        where word & otherWord != 0 {
            return index << 6 + (word & otherWord).trailingZeroBitCount
        }
        return nil
    }
}
