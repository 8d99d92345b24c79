internal import DAGBytes

/// Turns the loss of mapped bytes into errors, for the whole process.
///
/// A program that makes a mapped CAR shorter takes bytes away from its readers. A reader that touches such a byte
/// gets SIGBUS, which ends the process. Under the guard, the store's own reads throw `sourceChanged` instead: the
/// search for a block, copies and hashes. The guard does not cover views that a caller reads.
///
/// The guard is a signal handler, and signals belong to the program, not to a library. So only the program installs
/// it, and signals from other places go to the handler that was there before. Without the guard, copies and hashes
/// use a system call, which costs a microsecond a block, and the search is not protected.
///
/// *Concurrency*: any thread may call anything.
public enum MappingGuard {
    /// Installs the guard, for as long as the process lives.
    ///
    /// The guard covers shards that are opened after this call, so call it before you open a store. Only the first
    /// call does anything.
    ///
    /// - Returns: Whether the guard is installed.
    @discardableResult
    public static func install() -> Bool { GuardedCopy.install() }

    /// Whether the guard is installed.
    ///
    /// *Cost*: one load.
    public static var isInstalled: Bool { GuardedCopy.isInstalled }
}
