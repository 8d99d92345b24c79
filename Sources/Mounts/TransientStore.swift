internal import Failpoints
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
    let table = Lock(TransientTable())

    /// A store of copies that looks at nothing yet.
    ///
    /// - Parameters:
    ///   - directory: Where the copies are; other files there are left alone.
    ///   - pool: Where copies are written; a fetch waits for its turn there with every piece.
    ///   - options: How much room there is.
    package init(directory: FilePath, pool: JobPool, options: Options) {
        self.directory = directory
        self.pool = pool
        self.options = options
    }

    /// Where the copy of `name` is.
    func path(of name: TransientName, isComplete: Bool) -> FilePath {
        directory.appending(name.fileName(isComplete: isComplete))
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
            names = try NameCalls.names(in: directory)
        } catch {
            throw MountError(error, own: directory)
        }
        var swept = Swept()
        var found: [(transient: Transient, modified: Int64)] = []
        for (name, isComplete) in names.compactMap(TransientName.parse) {
            let path = path(of: name, isComplete: isComplete)
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
        table.withLock { table in for file in found { table.insert(file.transient) } }
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
        guard let transient = table.withLock({ $0.files[name]?.transient }) else { return nil }
        let size: UInt64?
        do throws(MountError) {
            size = try FileIdentity(ofLinkAt: transient.path).size
        } catch {
            // A copy that cannot be looked at may come back; one that is gone does not.
            guard error.code == .gone else { return nil }
            size = nil
        }
        return table.withLock { table in
            guard table.holds(transient) else { return nil }
            guard size == transient.size else {
                table.forget(name)
                if size != nil { _ = try? unlink(transient.path) }
                return nil
            }
            table.touch(name)
            return transient
        }
    }

    /// Keeps `transient` from being evicted until the pin goes.
    ///
    /// - Returns: A pin that holds nothing if the copy was removed or replaced meanwhile.
    package func pin(_ transient: Transient) -> TransientPin {
        let isHeld = table.withLock { $0.pin(transient) }
        return TransientPin(transient, isHeld: isHeld, store: self)
    }

    func unpin(_ transient: Transient) { table.withLock { $0.unpin(transient) } }

    /// How much room is taken now.
    package var usage: Usage {
        table.withLock { table in
            Usage(files: table.files.count, bytes: table.bytes, reserved: table.reserved)
        }
    }

    private func makeDirectory() throws(MountError) {
        do throws(Errno) {
            try NameCalls.makeDirectory(directory)
            guard options.isDurable else { return }
            try NameCalls.synchronize(directory: directory.removingLastComponent())
        } catch {
            guard error != .fileExists else { return }
            throw MountError(error, own: directory)
        }
    }

    /// Takes the name from a file of ours; a file that is gone already is fine.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    func unlink(_ path: FilePath) throws(MountError) -> Bool {
        do throws(Errno) {
            try NameCalls.unlink(path)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw MountError(error, own: path) }
            return false
        }
        return true
    }
}
