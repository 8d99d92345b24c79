package import DAGBytes
internal import DAGSystem
package import SystemPackage

extension FileDescriptor {
    /// Writes all bytes of a view.
    ///
    /// The corresponding C function is `write`.
    ///
    /// - Throws: The error of the system.
    package func writeAll(_ bytes: ByteView) throws(Errno) {
        var done = 0
        while done < bytes.count {
            do {
                // SAFETY: the view's maker keeps the bytes alive during the call, which reads them.
                done += try unsafe writeSome(bytes[done..<bytes.count].buffer)
            } catch .interrupted {
                continue
            }
        }
    }
}
