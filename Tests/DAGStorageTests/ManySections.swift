import DAGCAR
import DAGMultiformats
import TestSupport

extension [UInt8] {
    /// A CAR of `count` sections without data, quickly made: nothing is hashed.
    ///
    /// No multihash stands in two of them: `digestSize` is 8 to 32 bytes.
    static func manySections(count: Int, digestSize: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        let head: [UInt8] = [UInt8(digestSize + 4), 1, 0x55, 0x12, UInt8(digestSize)]
        var bytes = CARHeader.encoded(roots: [])
        bytes.reserveCapacity(bytes.count + count * (digestSize + 5))
        for _ in 0..<count {
            bytes += head
            for word in 0..<digestSize / 8 {
                var rest = generator.next()
                for _ in 0..<Swift.min(8, digestSize - 8 * word) {
                    bytes.append(UInt8(truncatingIfNeeded: rest))
                    rest >>= 8
                }
            }
        }
        return bytes
    }
}
