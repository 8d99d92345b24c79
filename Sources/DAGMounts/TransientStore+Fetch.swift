internal import DAGBytes
internal import DAGFailpoints
internal import DAGSystem
internal import SharedReads
internal import Synchronization
internal import SystemPackage

extension TransientStore {
    /// A copy that was made.
    package struct Fetched: Sendable {
        /// The copy.
        package let transient: Transient
        /// Its size in bytes.
        package let size: UInt64
        /// Its `ContentChecksum`.
        package let checksum: UInt64
        /// Keeps the copy from being evicted before its maker has looked at it.
        package let pin: TransientPin
    }

    /// How much is reserved at once where the size is not known.
    static var reservationStep: UInt64 { 16 << 20 }

    /// Copies all that `source` has.
    ///
    /// The room is reserved before it is written: all of it if the size is known, else 16 MiB at a time,
    /// or one piece where that does not fit. Copies that nobody has pinned are evicted for it. A second
    /// fetch of a name makes the first one fail with `CancellationError`. The source stays open.
    ///
    /// *Cost*: one pass, in pieces of 1 MiB of which one is in memory; every piece is written on a thread
    /// of the pool.
    ///
    /// *Concurrency*: when the task is cancelled, the copy is removed and `CancellationError` is thrown as
    /// soon as the source returns; the room that it reserved is free at once.
    ///
    /// - Parameters:
    ///   - name: What the copy is called; one that is there is replaced when the new one is whole.
    ///   - expectedSize: The bytes that must come, if it is known.
    ///   - source: Where they come from.
    ///   - letGo: Called once if there is no room: unpins copies that are kept only to be near.
    /// - Returns: The copy, pinned.
    /// - Throws: `MountError(.shortRead)` if fewer or more bytes come than expected, or more than were
    ///   asked for; `.quota` if there is no room; `.full` if the disk has none; `.unreachable` if the
    ///   folder cannot be written; `CancellationError`; what the source throws.
    package func fetch(
        _ name: TransientName,
        expectedSize: UInt64?,
        from source: any SequentialSource,
        letGo: (@Sendable () async -> Void)? = nil
    ) async throws -> Fetched {
        try Task.checkCancellation()
        try await pool.run { try self.prepare() }
        let fetch = TransientFetch(
            name: name,
            number: withTable { $0.beginFetch(of: name) },
            expectedSize: expectedSize,
            letGo: letGo
        )
        do {
            return try await withTaskCancellationHandler {
                try await run(fetch, from: source)
            } onCancel: {
                // A source that hangs may never return. The partial copy goes when it does: the loop, which cancels, does
                // not wait for the disk.
                withTable { $0.giveBackRoom(of: fetch.number) }
            }
        } catch {
            abandon(fetch)
            try Task.checkCancellation()
            throw error
        }
    }

    private func run(
        _ start: TransientFetch,
        from source: any SequentialSource
    ) async throws -> Fetched {
        var fetch = start
        if let size = fetch.expectedSize { fetch = try await reserving(size, for: fetch) }
        let file = try await pool.run { [fetch] in try self.create(fetch) }
        while let piece = try await fetch.nextPiece(of: source) {
            if let more = fetch.reservationNeeded { fetch = try await reserving(more, for: fetch) }
            fetch.hash = try await pool.run { [hash = fetch.hash] in
                try file.write(piece)
                return piece.withView { ContentChecksum.chain($0, after: hash) }
            }
        }
        Failpoint.partialWritten.pass()
        return try await pool.run { [fetch] in try self.publish(fetch, file) }
    }

    /// The fetch, with `size` bytes more reserved, or as many as it needs now.
    private func reserving(
        _ size: UInt64,
        for fetch: TransientFetch
    ) async throws -> TransientFetch {
        do {
            return try await reservingAtOnce(size, for: fetch)
        } catch let error as MountError where error.code == .quota {
            guard let letGo = fetch.letGo else { throw error }
            await letGo()
            var fetch = fetch
            fetch.letGo = nil
            return try await reservingAtOnce(size, for: fetch)
        }
    }

    private func reservingAtOnce(
        _ size: UInt64,
        for fetch: TransientFetch
    ) async throws -> TransientFetch {
        try await pool.run {
            var fetch = fetch
            do throws(MountError) {
                try self.reserve(size, for: fetch.number)
                fetch.reserved += size
            } catch {
                // Near the quota, room for the next piece is enough to go on.
                guard fetch.expectedSize == nil, fetch.missing < size else { throw error }
                try self.reserve(fetch.missing, for: fetch.number)
                fetch.reserved += fetch.missing
            }
            return fetch
        }
    }

    private func create(_ fetch: TransientFetch) throws -> PartialFile {
        try withTable { table in
            guard !table.isClosed, table.isWriter(fetch.number, of: fetch.name) else {
                throw CancellationError()
            }
            let path = partialPath(of: fetch.name)
            try unlink(path, in: &table)
            let file = try PartialFile(creating: path)
            Failpoint.partialCreated.pass()
            return file
        }
    }

    /// Gives a copy that is whole its name.
    private func publish(_ fetch: TransientFetch, _ file: PartialFile) throws -> Fetched {
        try file.synchronize(isDurable: options.isDurable)
        try file.close()
        Failpoint.partialSynced.pass()
        let path = path(of: fetch.name)
        let transient = Transient(name: fetch.name, path: path, size: fetch.size)
        try withTable { table in
            // An earlier fetch of the name would give it to a copy that is not its own, and one of a store that is closed to
            // a copy of the next owner.
            guard !table.isClosed, table.isWriter(fetch.number, of: fetch.name) else {
                throw CancellationError()
            }
            do throws(Errno) {
                try FileSystem.rename(file.path, to: path)
            } catch {
                throw MountError(error, own: file.path)
            }
            table.endFetch(fetch.number, of: fetch.name)
            table.insert(transient)
            _ = table.pin(transient)
        }
        Failpoint.copyRenamed.pass()
        let pin = TransientPin(transient, isHeld: true, store: self)
        try makeNameDurable(transient)
        Failpoint.copyComplete.pass()
        let checksum = ContentChecksum.final(fetch.hash)
        return Fetched(transient: transient, size: fetch.size, checksum: checksum, pin: pin)
    }

    /// Waits until the name is on disk; a copy whose name may be lost is given up.
    private func makeNameDurable(_ transient: Transient) throws(MountError) {
        guard options.isDurable else { return }
        do throws(Errno) {
            try FileSystem.synchronize(directory)
        } catch {
            withTable { table in
                guard table.holds(transient), !table.isClosed else { return }
                _ = try? unlink(transient.path, in: &table)
                table.forget(transient.name)
            }
            throw MountError(error, own: directory)
        }
    }

    /// Ends a fetch that has failed: nothing of it stays.
    private func abandon(_ fetch: TransientFetch) {
        withTable { table in
            if table.isWriter(fetch.number, of: fetch.name) {
                // If it cannot be removed now, the next fetch or the next opening tries again.
                _ = try? unlink(partialPath(of: fetch.name), in: &table)
            }
            table.endFetch(fetch.number, of: fetch.name)
        }
    }
}

/// How far a fetch has come.
private struct TransientFetch: Sendable {
    let name: TransientName
    let number: TransientTable.FetchNumber
    let expectedSize: UInt64?
    /// Makes room that others keep and do not need; nil if it was called.
    var letGo: (@Sendable () async -> Void)?
    /// The bytes that came.
    private(set) var size: UInt64 = 0
    /// The bytes that were reserved.
    var reserved: UInt64 = 0
    /// The checksum's chain so far.
    var hash: UInt64 = 0
    private var isAtEnd = false

    init(
        name: TransientName,
        number: TransientTable.FetchNumber,
        expectedSize: UInt64?,
        letGo: (@Sendable () async -> Void)?
    ) {
        self.name = name
        self.number = number
        self.expectedSize = expectedSize
        self.letGo = letGo
    }

    /// What came and was not reserved.
    var missing: UInt64 { size > reserved ? size - reserved : 0 }

    /// What is to be reserved before what came is written.
    var reservationNeeded: UInt64? {
        missing > 0 ? max(missing, TransientStore.reservationStep) : nil
    }

    /// Reads until a piece of the checksum is full or the source ends.
    ///
    /// - Returns: A piece, or nil at the end.
    /// - Throws: `.shortRead`, `CancellationError`, what the source throws.
    mutating func nextPiece(of source: any SequentialSource) async throws -> [UInt8]? {
        var piece: [UInt8] = []
        while !isAtEnd, piece.count < ContentChecksum.pieceSize {
            try Task.checkCancellation()
            let asked = ContentChecksum.pieceSize - piece.count
            let bytes = try await source.read(upTo: asked)
            guard bytes.count <= asked else {
                throw MountError(
                    .shortRead,
                    "\(bytes.count) bytes came, and \(asked) were asked for"
                )
            }
            isAtEnd = bytes.isEmpty
            if piece.isEmpty { piece = bytes } else { piece += bytes }
            try count(bytes.count)
        }
        try Task.checkCancellation()
        return piece.isEmpty ? nil : piece
    }

    private mutating func count(_ more: Int) throws(MountError) {
        size += UInt64(more)
        guard let expectedSize else { return }
        guard size <= expectedSize, !isAtEnd || size == expectedSize else {
            let came = size > expectedSize ? "more than" : "\(size) of"
            throw MountError(.shortRead, "\(came) \(expectedSize) bytes came")
        }
    }
}
