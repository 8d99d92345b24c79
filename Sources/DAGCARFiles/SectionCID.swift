package import DAGBytes
package import DAGMultiformats

/// Makes the binary CIDs of sections from what a walk shows of them.
///
/// A scanner accepts minimal varints only, so that layout and digest determine every byte.
package struct SectionCID {
    package init() {}

    private var head: [UInt8] = []
    private var layout: CIDLayout?
    /// The CID of the last section.
    package private(set) var bytes: [UInt8] = []

    /// Takes in a section's CID.
    package mutating func read(_ layout: CIDLayout, _ digest: ByteView) {
        if layout != self.layout { readHead(layout) }
        bytes.removeAll(keepingCapacity: true)
        bytes += head
        bytes.append(digest)
    }

    private mutating func readHead(_ layout: CIDLayout) {
        self.layout = layout
        head = layout.version == 0 ? [] : [1]
        if layout.version != 0 { Varint.append(layout.codec, to: &head) }
        Varint.append(layout.hashCode, to: &head)
        Varint.append(UInt64(layout.digestSize), to: &head)
    }
}
