package import DAGBytes
internal import Dispatch
internal import SharedReads

/// A remote source, for blocking threads and for tasks.
///
/// A blocking read waits for an `OwnedTask`. The threads that run owned tasks must not do that: the task needs one of
/// them.
///
/// *Concurrency*: any thread may read or cancel. The end of the object closes the source.
package final class RemoteBytes: ByteSource {
    private struct State {
        var isCancelled = false
        var reads: [ObjectIdentifier: RemoteRead] = [:]
        var scans: [WeakScan] = []
    }

    /// A scan that its walk holds.
    private struct WeakScan {
        weak var scan: (any HeaderScan)?
    }

    private let source: any RandomSource
    /// The name in errors.
    package let name: String
    /// The size in bytes, at opening.
    package let size: UInt64
    private let state = Lock(State())

    /// Creates an object that owns `source`.
    package init(_ source: any RandomSource, name: String) {
        self.source = source
        self.name = name
        size = source.size
    }

    /// The queue that closes sources, because a source's code may wait or call the store.
    private static let ends = DispatchQueue(label: "dagstore.ends", attributes: .concurrent)

    /// Closes a source on that queue.
    static func closeLater(_ source: any SequentialSource) {
        ends.async { source.close() }
    }

    deinit {
        let source = source
        Self.ends.async { source.close() }
    }

    /// Ends all reads at once with `.cancelled`, and all later ones; does not wait for the source.
    package func cancel() {
        let (reads, scans) = state.withLock { state in
            state.isCancelled = true
            defer { (state.reads, state.scans) = ([:], []) }
            return (state.reads, state.scans)
        }
        for read in reads.values {
            read.deliver(.failure(MountError(.cancelled, "\(name): cancelled")))
        }
        for scan in scans { scan.scan?.cancel() }
    }

    /// Starts a scan of the section headers of a CAR; `cancel()` ends it.
    ///
    /// - Parameter places: The places of the CAR's parts.
    /// - Returns: The scan; nil if the source reads ahead of no walk.
    package func scan(_ places: ScanPlaces) -> (any HeaderScan)? {
        guard let source = source as? any ScannableSource else { return nil }
        let scan = source.scan(places)
        let isCancelled = state.withLock { state in
            state.scans.removeAll { $0.scan == nil }
            state.scans.append(WeakScan(scan: scan))
            return state.isCancelled
        }
        if isCancelled { scan.cancel() }
        return scan
    }

    /// Reads into `buffer` until it is full or the bytes end; the thread blocks.
    ///
    /// - Returns: The number of bytes read.
    /// - Throws: `.cancelled`; `.shortRead` if the source returns a wrong number of bytes; the source's `MountError`,
    ///   or `.unreachable` for its other errors.
    package func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int {
        let asked = clamped(buffer.count, at: offset)
        guard asked > 0 else { return 0 }
        let read = try begin()
        let task = start(read, at: offset, size: asked)
        // The task is useless after the wait, however the wait ended.
        defer {
            task.cancel()
            forget(read)
        }
        let bytes = try read.bytes()
        // SAFETY: there are `asked` bytes, and `buffer` has room for them.
        unsafe buffer.copyBytes(from: bytes)
        return asked
    }

    /// Reads `size` bytes at `offset`, fewer at the end of the source; the thread blocks.
    ///
    /// A source that can block reads on the calling thread; `cancel()` does not end that.
    ///
    /// - Throws: The errors of `read(at:into:)`.
    package func readBlocking(at offset: UInt64, size: Int) throws(MountError) -> OwnedBytes {
        let asked = clamped(size, at: offset)
        guard let source = source as? any BlockingSource else {
            return try unsafe OwnedBytes(size: asked) { buffer throws(MountError) in
                // SAFETY: the buffer belongs to this closure during the call.
                _ = try unsafe read(at: offset, into: buffer)
            }
        }
        guard !state.withLock({ $0.isCancelled }) else {
            throw MountError(.cancelled, "\(name): cancelled")
        }
        return try unsafe OwnedBytes(size: asked) { buffer throws(MountError) in
            guard asked > 0 else { return }
            // SAFETY: the buffer lives through the call of the source.
            let count = try unsafe source.readBlocking(at: offset, into: buffer)
            guard count == asked else {
                throw MountError(.shortRead, "\(name): \(count) bytes of \(asked) at \(offset)")
            }
        }
    }

    /// Reads `size` bytes at `offset`, fewer at the end of the source.
    ///
    /// If the waiting task is cancelled, or after `cancel()`, it returns at once, whatever the source does.
    ///
    /// - Throws: The errors of `read(at:into:)`; `CancellationError` if the task was cancelled.
    package func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
        let asked = clamped(size, at: offset)
        guard asked > 0 else { return [] }
        let read = try begin()
        let task = start(read, at: offset, size: asked)
        defer {
            task.cancel()
            forget(read)
        }
        return try await withTaskCancellationHandler {
            try await read.value
        } onCancel: {
            read.deliver(.failure(CancellationError()))
        }
    }

    /// Checks that the source reports the same size, and the same version if it can tell; the thread blocks.
    ///
    /// - Throws: `.changed`; the errors of `read(at:into:)`.
    package func checkUnchanged() throws(MountError) {
        guard source.size == size else {
            throw MountError(.changed, "\(name): changed while it was read")
        }
        guard let source = source as? any ScannableSource else { return }
        let check = try begin()
        let task = OwnedTask {
            do {
                try await source.checkVersion()
                check.deliver(.success([]))
            } catch {
                check.deliver(.failure(error))
            }
        }
        defer {
            task.cancel()
            forget(check)
        }
        _ = try check.bytes()
    }

    /// Returns the number of bytes at `offset`, at most `size`.
    private func clamped(_ size: Int, at offset: UInt64) -> Int {
        guard offset < self.size else { return 0 }
        return Int(min(UInt64(size), self.size - offset))
    }

    private func begin() throws(MountError) -> RemoteRead {
        let read = RemoteRead()
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.reads[ObjectIdentifier(read)] = read }
            return state.isCancelled
        }
        guard !isCancelled else { throw MountError(.cancelled, "\(name): cancelled") }
        return read
    }

    private func forget(_ read: RemoteRead) {
        state.withLock { _ = $0.reads.removeValue(forKey: ObjectIdentifier(read)) }
    }

    private func start(_ read: RemoteRead, at offset: UInt64, size: Int) -> OwnedTask<Void> {
        // The closure does not capture the object, so a read that hangs does not keep it alive.
        OwnedTask { [source, name] in
            do {
                let bytes = try await source.read(at: offset, size: size)
                guard bytes.count == size else {
                    throw MountError(
                        .shortRead,
                        "\(name): \(bytes.count) bytes at \(offset), not \(size)"
                    )
                }
                read.deliver(.success(bytes))
            } catch {
                read.deliver(.failure(error))
            }
        }
    }
}

/// One running read: the source's outcome, or the cancellation that came before it.
private typealias RemoteRead = FirstAnswer<[UInt8], any Error>

extension RemoteRead {
    /// Blocks until the read ends.
    fileprivate func bytes() throws(MountError) -> [UInt8] {
        do {
            return try wait()
        } catch let error as MountError {
            throw error
        } catch is CancellationError {
            throw MountError(.cancelled, "cancelled")
        } catch {
            throw MountError(.unreachable, "\(error)")
        }
    }
}
