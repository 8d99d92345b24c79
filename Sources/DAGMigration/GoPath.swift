internal import DAGBytes

/// Go's `path.Clean`, over bytes.
///
/// The reference passes every datastore key through it, binary multihashes too.
enum GoPath {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// The cleaned form of a rooted path: `/` and then `bytes`.
    ///
    /// Repeated slashes become one, `.` elements go, a `..` element takes the one before it along, and a
    /// slash at the end goes.
    ///
    /// *Cost*: O(bytes).
    static func cleanRooted(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var elements: [ArraySlice<UInt8>] = []
        for element in Array(bytes).split(separator: slash) {
            if element.elementsEqual([dot]) { continue }
            if element.elementsEqual([dot, dot]) {
                _ = elements.popLast()
            } else {
                elements.append(element)
            }
        }
        return [slash] + elements.joined(separator: [slash])
    }

    /// Whether a multihash under the root stays as it is.
    ///
    /// *Cost*: O(bytes); nearly all multihashes without a slash are settled by one look at each byte.
    static func isClean(_ bytes: ByteView) -> Bool {
        var elementStart = 0
        guard bytes.count > 0 else { return false }
        for offset in 0...bytes.count where offset == bytes.count || bytes[offset] == slash {
            let size = offset - elementStart
            if size == 0 || (size == 1 && bytes[elementStart] == dot) { return false }
            if size == 2, bytes[elementStart] == dot, bytes[elementStart + 1] == dot {
                return false
            }
            elementStart = offset + 1
        }
        return true
    }
}
