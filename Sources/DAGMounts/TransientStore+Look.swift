package import SystemPackage

extension TransientStore {
    /// Where a whole copy is, if there is one; also for those who only look and have not called `open`.
    ///
    /// *Cost*: one system call.
    package func existingPath(of name: TransientName) -> FilePath? {
        let path = path(of: name)
        return (try? FileIdentity(at: path)) == nil ? nil : path
    }
}
