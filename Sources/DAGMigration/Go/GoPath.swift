internal import DAGBytes

/// Go's `path.Clean`, over bytes.
///
/// The reference cleans every datastore key with it, including binary multihashes.
enum GoPath {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// Returns the cleaned form of the path `/` followed by `bytes`.
    ///
    /// Cleaning joins repeated slashes, and removes `.` elements, each `..` with the element before it, and a slash
    /// at the end.
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

    /// Whether cleaning leaves a multihash under the root unchanged.
    ///
    /// *Cost*: O(bytes); one comparison a byte for nearly all multihashes without a slash.
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
