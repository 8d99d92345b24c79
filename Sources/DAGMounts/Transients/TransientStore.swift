internal import DAGFailpoints
internal import DAGSystem
internal import SharedReads
internal import Synchronization
package import SystemPackage

/// The transients of a store: one folder, with a quota.
///
/// *Shape*: `TransientName` describes the names of the files. A file that is being written ends in `.partial`. It
/// gets its name in `.complete` when it is complete and, in a durable store, on disk.
///
/// *Concurrency*: any thread may call anything. One lock covers all changes of names, so a pinned transient is never
/// evicted, and the sum of sizes never exceeds the quota.
package final class TransientStore: Sendable {
    /// The limits of the folder, and how it keeps them.
    package struct Options: Sendable {
        /// The largest number of bytes, with those being written; nil for no limit.
        package var quota: UInt64?
        /// The share of the quota above which a fetch evicts.
        package var highWatermark: Double
        /// The share of the quota down to which a fetch evicts.
        package var lowWatermark: Double
        /// Whether a transient is flushed to disk before it gets its name, and the folder after.
        package var isDurable: Bool

        /// Creates options; the watermarks are shares of the quota, the lower one first.
        package init(
            quota: UInt64? = nil,
            highWatermark: Double = 0.9,
            lowWatermark: Double = 0.7,
            isDurable: Bool = true
        ) {
            precondition(0...1 ~= lowWatermark)
            precondition(lowWatermark...1 ~= highWatermark)
            self.quota = quota
            self.highWatermark = highWatermark
            self.lowWatermark = lowWatermark
            self.isDurable = isDurable
        }
    }

    /// The result of opening the folder.
    package struct Swept: Equatable, Sendable {
        /// The number of complete transients that stay.
        package var files: Int
        /// The size of these transients in bytes.
        package var bytes: UInt64
        /// The number of removed partial files.
        package var partialsRemoved: Int
        /// The number of removed transients without a shard.
        package var unknownRemoved: Int

        /// Creates a result.
        package init(
            files: Int = 0,
            bytes: UInt64 = 0,
            partialsRemoved: Int = 0,
            unknownRemoved: Int = 0
        ) {
            self.files = files
            self.bytes = bytes
            self.partialsRemoved = partialsRemoved
            self.unknownRemoved = unknownRemoved
        }
    }

    /// The room that transients use.
    package struct Usage: Equatable, Sendable {
        /// The number of complete transients.
        package var files: Int
        /// The size of these transients in bytes.
        package var bytes: UInt64
        /// The bytes that running fetches have reserved.
        package var reserved: UInt64

        /// Creates a usage.
        package init(files: Int = 0, bytes: UInt64 = 0, reserved: UInt64 = 0) {
            self.files = files
            self.bytes = bytes
            self.reserved = reserved
        }
    }

    /// The folder.
    package let directory: FilePath
    let pool: JobPool
    let options: Options
    private let table = Lock(TransientTable())
    /// Whether a shard has a transient; nil if this object must not open the folder.
    private let isKnown: (@Sendable (TransientName) -> Bool)?
    private let isPrepared = Lock(false)
    /// The name of this opening in partial files.
    ///
    /// A fetch that hangs may outlive its store, beside fetches of the next one.
    package let opening = TransientName.newOpening()
    private let wasPrepared = Atomic<Bool>(false)

    /// Creates a store of transients; it does not touch the folder yet.
    ///
    /// - Parameters:
    ///   - directory: The folder; other files there stay untouched.
    ///   - pool: The pool that writes; a fetch waits there for its turn with every piece.
    ///   - options: The limits.
    ///   - isKnown: Whether a shard has a transient; `prepare` passes it to `open`. Nil if the caller opens the
    ///     folder, or never does.
    package init(
        directory: FilePath,
        pool: JobPool,
        options: Options,
        isKnown: (@Sendable (TransientName) -> Bool)? = nil
    ) {
        self.directory = directory
        self.pool = pool
        self.options = options
        self.isKnown = isKnown
    }

    /// Opens the folder, if it is not open; other callers wait meanwhile.
    ///
    /// Code that needs to know the transients calls it first. A store calls it once when it opens, in the background.
    ///
    /// *Cost*: that of `open` once, and nothing afterwards.
    ///
    /// - Throws: The errors of `open`; the next call opens the folder again.
    package func prepare() throws(MountError) {
        guard let isKnown, !wasPrepared.load(ordering: .acquiring) else { return }
        try isPrepared.withLock { isPrepared throws(MountError) in
            guard !isPrepared else { return }
            _ = try open(isKnown: isKnown)
            isPrepared = true
            wasPrepared.store(true, ordering: .releasing)
        }
    }

    /// Calls `body` with the table.
    ///
    /// Files that lose their last name meanwhile are closed after it, because that takes longer for larger files.
    func withTable<R, E: Error>(_ body: (inout TransientTable) throws(E) -> R) throws(E) -> R {
        var unlinked: [UnlinkedFile] = []
        defer { withExtendedLifetime(unlinked) {} }
        return try table.withLock { table throws(E) in
            defer { swap(&unlinked, &table.unlinked) }
            return try body(&table)
        }
    }

    /// Stops all changes of names, because another process may own the folder from now on.
    ///
    /// A fetch that hangs ends with `CancellationError` when its source returns, and removes its partial file.
    package func close() { withTable { $0.isClosed = true } }

    /// Returns the path of the transient of `name`.
    func path(of name: TransientName) -> FilePath { directory.appending(name.fileName) }

    /// Returns the path of a transient while it is written.
    func partialPath(of name: TransientName) -> FilePath {
        directory.appending(name.partialFileName(of: opening))
    }

    /// Creates the folder, removes the files that no shard needs, and registers the rest by age.
    ///
    /// Only regular files with names of this store are touched.
    ///
    /// *Cost*: two system calls per file; the thread blocks.
    ///
    /// - Parameter isKnown: Whether a shard has this transient.
    /// - Returns: The result.
    /// - Throws: `.unreachable`, `.full`, with the path.
    package func open(isKnown: (TransientName) -> Bool) throws(MountError) -> Swept {
        try makeDirectory()
        let names: [String]
        do throws(Errno) {
            names = try FileSystem.names(in: directory)
        } catch {
            throw MountError(error, own: directory)
        }
        var swept = Swept()
        var found: [(transient: Transient, modified: Int64)] = []
        for fileName in names {
            guard let (name, isComplete) = TransientName.parse(fileName) else { continue }
            let path = directory.appending(fileName)
            // Only regular files belong to this store.
            guard let identity = try? FileIdentity(ofLinkAt: path) else { continue }
            if isComplete, isKnown(name) {
                let transient = Transient(name: name, path: path, size: identity.size)
                found.append((transient, identity.modified))
                continue
            }
            try unlink(path)
            if isComplete { swept.unknownRemoved += 1 } else { swept.partialsRemoved += 1 }
        }
        found.sort {
            ($0.modified, $0.transient.name.description) < (
                $1.modified, $1.transient.name.description
            )
        }
        withTable { table in for file in found { table.insert(file.transient) } }
        swept.files = found.count
        swept.bytes = found.reduce(0) { $0 + $1.transient.size }
        return swept
    }

    /// Finds the complete transient of `name`, and marks it as used now.
    ///
    /// If its file is gone, the call removes the entry; if the file has another size, it removes the file too.
    ///
    /// *Cost*: one system call, on the caller's thread.
    package func find(_ name: TransientName) -> Transient? {
        // The next fetch reports the error.
        try? prepare()
        guard let transient = withTable({ $0.files[name]?.transient }) else { return nil }
        let size: UInt64?
        do throws(MountError) {
            size = try FileIdentity(ofLinkAt: transient.path).size
        } catch {
            // A transient that cannot be checked may come back later; a missing one cannot.
            guard error.code == .gone else { return nil }
            size = nil
        }
        return withTable { table in
            guard table.contains(transient) else { return nil }
            guard size == transient.size else {
                table.remove(name)
                if size != nil, !table.isClosed { _ = try? unlink(transient.path, in: &table) }
                return nil
            }
            table.markUsed(name)
            return transient
        }
    }

    /// Gives the transient of a name to another name, and replaces a transient of that name.
    ///
    /// *Cost*: two system calls, on the caller's thread.
    ///
    /// - Throws: `.gone` if there is no such transient; `.unreachable`, `.full`; `CancellationError` if the store is
    ///   closed.
    package func adopt(_ name: TransientName, as other: TransientName) throws {
        try withTable { table in
            guard !table.isClosed else { throw CancellationError() }
            guard let entry = table.files[name] else {
                throw MountError(.gone, "\(path(of: name)): the transient is gone")
            }
            let path = path(of: other)
            table.revokeWriter(of: other)
            do throws(Errno) {
                try FileSystem.rename(entry.transient.path, to: path)
            } catch {
                throw MountError(error, own: path)
            }
            table.remove(name)
            table.insert(Transient(name: other, path: path, size: entry.transient.size))
        }
        guard options.isDurable else { return }
        do throws(Errno) {
            try FileSystem.synchronize(directory)
        } catch {
            throw MountError(error, own: directory)
        }
    }

    /// Pins `transient`, which protects it from eviction while the pin lives.
    ///
    /// - Returns: The pin; it has no effect if the transient was removed or replaced.
    package func pin(_ transient: Transient) -> TransientPin {
        let isHeld = withTable { $0.pin(transient) }
        return TransientPin(transient, isHeld: isHeld, store: self)
    }

    func unpin(_ transient: Transient) { withTable { $0.unpin(transient) } }

    /// The room that transients use now.
    package var usage: Usage {
        try? prepare()
        return withTable { table in
            Usage(files: table.files.count, bytes: table.bytes, reserved: table.reserved)
        }
    }

    private func makeDirectory() throws(MountError) {
        do throws(Errno) {
            try FileSystem.makeDirectory(directory)
            guard options.isDurable else { return }
            try FileSystem.synchronize(directory.removingLastComponent())
        } catch {
            guard error != .fileExists else { return }
            throw MountError(error, own: directory)
        }
    }

    /// Removes a file's name under the lock; its room is freed after the lock.
    ///
    /// - Returns: Whether the file existed.
    @discardableResult
    func unlink(_ path: FilePath, in table: inout TransientTable) throws(MountError) -> Bool {
        // The open descriptor keeps the bytes, so that removing the name is quick even for large files.
        let file = UnlinkedFile(path)
        let wasThere = try unlink(path)
        if let file, wasThere { table.unlinked.append(file) }
        return wasThere
    }

    /// Removes a file's name; a missing file is no error.
    ///
    /// - Returns: Whether the file existed.
    @discardableResult
    func unlink(_ path: FilePath) throws(MountError) -> Bool {
        do throws(Errno) {
            try FileSystem.removeFile(path)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw MountError(error, own: path) }
            return false
        }
        return true
    }
}
