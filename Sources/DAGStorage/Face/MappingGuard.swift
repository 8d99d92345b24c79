internal import DAGBytes

/// Turns the loss of mapped bytes into errors, for the whole process.
///
/// Whoever makes a mapped CAR shorter takes bytes away under its readers, and who touches such a byte gets
/// SIGBUS, which ends the process. Under the guard the store's own reads end in `sourceChanged` instead:
/// the search for a block, copies, hashes. Views that a caller reads by itself are not guarded.
///
/// The guard is a signal handler, and signals belong to the program and not to a library: that is why
/// nobody installs it but who is asked to, and why signals of others go to the handler that was there
/// before. Without it, copies and hashes go through a system call, which costs a microsecond a block; the
/// search is not protected.
///
/// *Concurrency*: any thread may call anything.
public enum MappingGuard {
    /// Installs the guard, for as long as the process lives.
    ///
    /// Shards that are opened later are guarded, so that this is called before the first store is opened.
    /// Only the first call does anything.
    ///
    /// - Returns: Whether the guard is there.
    @discardableResult
    public static func install() -> Bool { GuardedCopy.install() }

    /// Whether the guard is there.
    ///
    /// *Cost*: one load.
    public static var isInstalled: Bool { GuardedCopy.isInstalled }
}
