internal import DAGBytes
internal import DAGFailpoints
internal import DAGSystem
internal import SharedReads
internal import Synchronization
internal import SystemPackage

extension TransientStore {
    /// A fetched transient.
    package struct Fetched: Sendable {
        /// The transient.
        package let transient: Transient
        /// Its size in bytes.
        package let size: UInt64
        /// Its `ContentChecksum`.
        package let checksum: UInt64
        /// The pin that protects the transient until its fetcher has checked it.
        package let pin: TransientPin
    }

    /// The number of bytes to reserve at once if the size is unknown.
    static var reservationStep: UInt64 { 16 << 20 }

    /// Copies all bytes of `source` to a transient.
    ///
    /// The fetch reserves room before it writes: all of it if the size is known, else 16 MiB at a time, or one piece
    /// if that does not fit. For this it evicts unpinned transients. A second fetch of a name makes the first one
    /// fail with `CancellationError`. The source stays open, unless the task is cancelled.
    ///
    /// *Cost*: one pass, in pieces of 1 MiB, of which one is in memory; a thread of the pool writes each piece.
    ///
    /// *Concurrency*: if the task is cancelled, the call removes the file and throws `CancellationError` as soon as
    /// the source returns. The reserved room is free at once.
    ///
    /// - Parameters:
    ///   - name: The name of the transient; a complete fetch replaces an earlier one.
    ///   - expectedSize: The expected number of bytes; nil if it is unknown.
    ///   - source: The source of the bytes.
    ///   - freeRoom: Called once if there is no room; unpins transients that are pinned only for speed.
    /// - Returns: The transient, pinned.
    /// - Throws: `MountError(.shortRead)` if the source returns fewer or more bytes than expected or asked for;
    ///   `.quota` if there is no room; `.full` if the disk has none; `.unreachable` if the folder cannot be written;
    ///   `CancellationError`; the errors of the source.
    package func fetch(
        _ name: TransientName,
        expectedSize: UInt64?,
        from source: any SequentialSource,
        freeRoom: (@Sendable () async -> Void)? = nil
    ) async throws -> Fetched {
        try Task.checkCancellation()
        try await pool.run { try self.prepare() }
        let fetch = TransientFetch(
            name: name,
            number: withTable { $0.beginFetch(of: name) },
            expectedSize: expectedSize,
            freeRoom: freeRoom
        )
        do {
            return try await withTaskCancellationHandler {
                try await run(fetch, from: source)
            } onCancel: {
                // A source that hangs may never return. The partial file is removed when it does: the loop, which
                // cancels, does not wait for the disk, nor for the source's code. Some sources end a read that hangs
                // when they are closed.
                withTable { $0.dropReservation(of: fetch.number) }
                RemoteBytes.closeLater(source)
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

    /// Returns the fetch with `size` more reserved bytes, or with as many as it needs now.
    private func reserving(
        _ size: UInt64,
        for fetch: TransientFetch
    ) async throws -> TransientFetch {
        do {
            return try await reservingAtOnce(size, for: fetch)
        } catch let error as MountError where error.code == .quota {
            guard let freeRoom = fetch.freeRoom else { throw error }
            await freeRoom()
            var fetch = fetch
            fetch.freeRoom = nil
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
                // Near the quota, room for the next piece is enough.
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

    /// Gives a complete transient its final name.
    private func publish(_ fetch: TransientFetch, _ file: PartialFile) throws -> Fetched {
        try file.synchronize(isDurable: options.isDurable)
        try file.close()
        Failpoint.partialSynced.pass()
        let path = path(of: fetch.name)
        let transient = Transient(name: fetch.name, path: path, size: fetch.size)
        try withTable { table in
            // An earlier fetch of the name, or one of a closed store, must not give the name to its own file.
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

    /// Waits until the disk has the name; removes a transient whose name may be lost.
    private func makeNameDurable(_ transient: Transient) throws(MountError) {
        guard options.isDurable else { return }
        do throws(Errno) {
            try FileSystem.synchronize(directory)
        } catch {
            withTable { table in
                guard table.contains(transient), !table.isClosed else { return }
                _ = try? unlink(transient.path, in: &table)
                table.remove(transient.name)
            }
            throw MountError(error, own: directory)
        }
    }

    /// Ends a failed fetch, and removes its file.
    private func abandon(_ fetch: TransientFetch) {
        withTable { table in
            if table.isWriter(fetch.number, of: fetch.name) {
                // If it cannot be removed now, the next fetch or the next opening removes it.
                _ = try? unlink(partialPath(of: fetch.name), in: &table)
            }
            table.endFetch(fetch.number, of: fetch.name)
        }
    }
}

/// The state of a fetch.
private struct TransientFetch: Sendable {
    let name: TransientName
    let number: TransientTable.FetchNumber
    let expectedSize: UInt64?
    /// Frees room that others use only for speed; nil after its call.
    var freeRoom: (@Sendable () async -> Void)?
    /// The number of bytes from the source.
    private(set) var size: UInt64 = 0
    /// The number of reserved bytes.
    var reserved: UInt64 = 0
    /// The hash of the checksum's chain so far.
    var hash: UInt64 = 0
    private var isAtEnd = false

    init(
        name: TransientName,
        number: TransientTable.FetchNumber,
        expectedSize: UInt64?,
        freeRoom: (@Sendable () async -> Void)?
    ) {
        self.name = name
        self.number = number
        self.expectedSize = expectedSize
        self.freeRoom = freeRoom
    }

    /// The number of bytes from the source beyond the reserved ones.
    var missing: UInt64 { size > reserved ? size - reserved : 0 }

    /// The number of bytes to reserve before the next write.
    var reservationNeeded: UInt64? {
        missing > 0 ? max(missing, TransientStore.reservationStep) : nil
    }

    /// Reads until a piece of the checksum is full, or the source ends.
    ///
    /// - Returns: A piece; nil at the end.
    /// - Throws: `.shortRead`, `CancellationError`, the errors of the source.
    mutating func nextPiece(of source: any SequentialSource) async throws -> [UInt8]? {
        var piece: [UInt8] = []
        while !isAtEnd, piece.count < ContentChecksum.pieceSize {
            try Task.checkCancellation()
            let asked = ContentChecksum.pieceSize - piece.count
            let bytes = try await source.read(upTo: asked)
            guard bytes.count <= asked else {
                throw MountError(
                    .shortRead,
                    "the source returned \(bytes.count) bytes, more than the \(asked) asked for"
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
