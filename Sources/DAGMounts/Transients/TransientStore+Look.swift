package import SystemPackage

extension TransientStore {
    /// Returns the path of a complete transient; nil if there is none.
    ///
    /// Readers call it without `open`.
    ///
    /// *Cost*: one system call.
    package func existingPath(of name: TransientName) -> FilePath? {
        let path = path(of: name)
        return (try? FileIdentity(at: path)) == nil ? nil : path
    }
}
