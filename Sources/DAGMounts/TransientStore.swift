internal import DAGFailpoints
internal import DAGSystem
internal import SharedReads
internal import Synchronization
package import SystemPackage

/// The copies of shards that cannot be read in place: one folder, with a quota.
///
/// *Shape*: the files are named as `TransientName` says. A copy that is being written ends in `.partial`;
/// it gets its name in `.complete` when it is whole, and on disk if the store is durable.
///
/// *Concurrency*: any thread may call anything. Names are taken away and given under one lock, so that a
/// pinned copy is never evicted and the sum of sizes never passes the quota.
package final class TransientStore: Sendable {
    /// How much room there is, and what is done about it.
    package struct Options: Sendable {
        /// The most bytes of copies, those being written with them; nil for no limit.
        package var quota: UInt64?
        /// The share of the quota above which a fetch evicts.
        package var highWatermark: Double
        /// The share of the quota down to which it does.
        package var lowWatermark: Double
        /// Whether a copy is flushed to disk before it gets its name, and the folder after.
        package var isDurable: Bool

        /// Options; the watermarks are shares of the quota, the lower first.
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

    /// What was found in the folder when it was opened.
    package struct Swept: Equatable, Sendable {
        /// The whole copies that were kept.
        package var files: Int
        /// Their bytes.
        package var bytes: UInt64
        /// The unfinished copies that were removed.
        package var partialsRemoved: Int
        /// The whole copies nobody knew, which were removed.
        package var unknownRemoved: Int

        /// Such a folder.
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

    /// How much room is taken.
    package struct Usage: Equatable, Sendable {
        /// The number of whole copies.
        package var files: Int
        /// Their bytes.
        package var bytes: UInt64
        /// What the fetches under way have reserved.
        package var reserved: UInt64

        /// So much room.
        package init(files: Int = 0, bytes: UInt64 = 0, reserved: UInt64 = 0) {
            self.files = files
            self.bytes = bytes
            self.reserved = reserved
        }
    }

    /// Where the copies are.
    package let directory: FilePath
    let pool: JobPool
    let options: Options
    private let table = Lock(TransientTable())
    /// Whether a shard has a copy; nil if the folder is left as it is.
    private let isKnown: (@Sendable (TransientName) -> Bool)?
    private let isPrepared = Lock(false)
    /// Names the files that are being written: a fetch that hangs may outlive its store, beside the next one's.
    package let opening = TransientName.newOpening()
    private let wasPrepared = Atomic<Bool>(false)

    /// A store of copies that looks at nothing yet.
    ///
    /// - Parameters:
    ///   - directory: Where the copies are; other files there are left alone.
    ///   - pool: Where copies are written; a fetch waits for its turn there with every piece.
    ///   - options: How much room there is.
    ///   - isKnown: Whether a shard has a copy: `prepare` opens the folder with it. nil for who opens it, or leaves it alone.
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

    /// Opens the folder, unless that was done; who comes while it is being opened waits.
    ///
    /// Whatever needs to know the copies calls it first, and a store once when it opens, beside everything else.
    ///
    /// *Cost*: as `open`, once; then nothing.
    ///
    /// - Throws: As `open`; the next call opens it again.
    package func prepare() throws(MountError) {
        guard let isKnown, !wasPrepared.load(ordering: .acquiring) else { return }
        try isPrepared.withLock { isPrepared throws(MountError) in
            guard !isPrepared else { return }
            _ = try open(isKnown: isKnown)
            isPrepared = true
            wasPrepared.store(true, ordering: .releasing)
        }
    }

    /// Calls `body` with the table; files whose last name goes meanwhile are freed after it, because that takes as long
    /// as they are large.
    func withTable<R, E: Error>(_ body: (inout TransientTable) throws(E) -> R) throws(E) -> R {
        var unlinked: [UnlinkedFile] = []
        defer { withExtendedLifetime(unlinked) {} }
        return try table.withLock { table throws(E) in
            defer { swap(&unlinked, &table.unlinked) }
            return try body(&table)
        }
    }

    /// Changes no name any more: the folder is somebody else's from now on.
    ///
    /// A fetch that hangs ends with `CancellationError` when its source comes back, and takes its own partial file away.
    package func close() { withTable { $0.isClosed = true } }

    /// Where the copy of `name` is.
    func path(of name: TransientName) -> FilePath { directory.appending(name.fileName) }

    /// Where a copy is while it is written.
    func partialPath(of name: TransientName) -> FilePath {
        directory.appending(name.partialFileName(of: opening))
    }

    /// Makes the folder, removes what no shard needs, and registers the rest by its age.
    ///
    /// Only regular files with exactly our names are touched.
    ///
    /// *Cost*: two system calls a file; the calling thread blocks.
    ///
    /// - Parameter isKnown: Whether a shard has this copy.
    /// - Returns: What was found.
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
            // Whatever is no regular file was not made here.
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

    /// The whole copy of `name`, which counts as used now.
    ///
    /// A copy whose file has vanished is forgotten; one whose file has another size is removed.
    ///
    /// *Cost*: one system call, on the caller's thread.
    package func find(_ name: TransientName) -> Transient? {
        // Who then fetches it is told what is wrong.
        try? prepare()
        guard let transient = withTable({ $0.files[name]?.transient }) else { return nil }
        let size: UInt64?
        do throws(MountError) {
            size = try FileIdentity(ofLinkAt: transient.path).size
        } catch {
            // A copy that cannot be looked at may come back; one that is gone does not.
            guard error.code == .gone else { return nil }
            size = nil
        }
        return withTable { table in
            guard table.holds(transient) else { return nil }
            guard size == transient.size else {
                table.forget(name)
                if size != nil, !table.isClosed { _ = try? unlink(transient.path, in: &table) }
                return nil
            }
            table.touch(name)
            return transient
        }
    }

    /// Gives the copy of a name to another name, in the place of any copy that has it.
    ///
    /// *Cost*: two system calls, on the caller's thread.
    ///
    /// - Throws: `.gone` if there is no such copy; `.unreachable`, `.full`; `CancellationError` if the store is closed.
    package func adopt(_ name: TransientName, as other: TransientName) throws {
        try withTable { table in
            guard !table.isClosed else { throw CancellationError() }
            guard let entry = table.files[name] else {
                throw MountError(.gone, "\(path(of: name)): the copy is gone")
            }
            let path = path(of: other)
            table.revokeWriter(of: other)
            do throws(Errno) {
                try FileSystem.rename(entry.transient.path, to: path)
            } catch {
                throw MountError(error, own: path)
            }
            table.forget(name)
            table.insert(Transient(name: other, path: path, size: entry.transient.size))
        }
        guard options.isDurable else { return }
        do throws(Errno) {
            try FileSystem.synchronize(directory)
        } catch {
            throw MountError(error, own: directory)
        }
    }

    /// Keeps `transient` from being evicted until the pin goes.
    ///
    /// - Returns: A pin that holds nothing if the copy was removed or replaced meanwhile.
    package func pin(_ transient: Transient) -> TransientPin {
        let isHeld = withTable { $0.pin(transient) }
        return TransientPin(transient, isHeld: isHeld, store: self)
    }

    func unpin(_ transient: Transient) { withTable { $0.unpin(transient) } }

    /// How much room is taken now.
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

    /// Takes the name from a file of ours under the lock; its room is freed when the lock is free again.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    func unlink(_ path: FilePath, in table: inout TransientTable) throws(MountError) -> Bool {
        // While it is open, taking its name away frees no room, which takes as long as the file is large.
        let file = UnlinkedFile(path)
        let wasThere = try unlink(path)
        if let file, wasThere { table.unlinked.append(file) }
        return wasThere
    }

    /// Takes the name from a file of ours; a file that is gone already is fine.
    ///
    /// - Returns: Whether there was one.
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
