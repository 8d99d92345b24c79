internal import CDAGStore
internal import DAGBytes
internal import DAGMounts
internal import DAGStorage
internal import SharedReads
internal import Synchronization

/// A mount scheme whose bytes a C caller supplies.
@safe final class MountHook: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that callbacks come on several threads at once.
    let table: dagstore_mount_vtable_t
    let context: Context
    /// Whether `deinit` gives the context back.
    private let isAdopted = Atomic<Bool>(false)

    init(_ table: dagstore_mount_vtable_t, _ context: Context) {
        self.table = table
        self.context = context
    }

    deinit {
        guard isAdopted.load(ordering: .relaxed) else { return }
        // SAFETY: the caller's function, with the context that it asked for; no other call is under way.
        runCallback { unsafe table.release?(context.pointer) }
    }

    /// Takes the context over: `deinit` gives it back.
    func adopt() { isAdopted.store(true, ordering: .relaxed) }

    /// Runs a callback that may report an error.
    ///
    /// - Throws: The error that it reported, or one for its status.
    func call(
        _ name: String,
        _ url: MountURL,
        _ body: (UnsafeMutablePointer<OpaquePointer?>) -> dagstore_status_t
    ) throws(MountError) {
        var error: OpaquePointer?
        // SAFETY: the place stays for the call; an error's message ends with NUL and stays while the error does.
        let status = runCallback { unsafe withUnsafeMutablePointer(to: &error) { unsafe body($0) } }
        defer { HandleTable.remove(error, .error, as: ErrorBox.self) }
        guard status != DAGSTORE_OK else { return }
        let message = HandleTable.with(error, .error, as: ErrorBox.self) { box in
            unsafe String(cString: box.message.start)
        }
        let code = Self.code(of: status)
        throw MountError(code, "\(url): \(message ?? "\(name) returned \(status)")")
    }

    private static func code(of status: dagstore_status_t) -> MountError.Code {
        switch DAGStoreError.Code(rawValue: status) {
        case .mountGone: .gone
        case .fetchFailed: .shortRead
        case .fetchTimedOut: .timedOut
        case .sourceChanged: .changed
        case .outOfResources: .outOfResources
        default: .unreachable
        }
    }
}

/// The threads that run callbacks which may take long.
private enum CallbackThreads {
    static let stats = JobPool(label: "dagstore.mount-stat", width: 16, sparesMax: 240)
    static let opens = JobPool(label: "dagstore.mount-open", width: 64, sparesMax: 960)
    static let reads = JobPool(label: "dagstore.mount-read", width: 64, sparesMax: 448)
}

/// A mount whose bytes a C caller supplies.
struct CallbackMount: Mount {
    let url: MountURL
    let hook: MountHook

    var access: MountAccess {
        hook.table.access == UInt32(DAGSTORE_ACCESS_RANDOM) ? .random : .sequential
    }

    func resolving(_ url: MountURL) throws -> CallbackMount { CallbackMount(url: url, hook: hook) }

    func stat() async throws -> MountStat {
        try await CallbackThreads.stats.run { try statBlocking() }
    }

    func open() async throws -> MountSource {
        let source = try await CallbackThreads.opens.run { try openBlocking() }
        return access == .random ? .random(source) : .sequential(source)
    }

    private func statBlocking() throws(MountError) -> MountStat {
        let text = CText(url.text)
        var found = dagstore_mount_stat_t()
        found.size = UInt32(MemoryLayout<dagstore_mount_stat_t>.size)
        // SAFETY: the caller's function with its context; the text and the places stay for the call.
        try unsafe hook.call("stat", url) { error in
            unsafe hook.table.stat(hook.context.pointer, text.start, &found, error)
        }
        // SAFETY: `found` outlives the closure, which reads only its own bytes.
        let validator = unsafe withUnsafeBytes(of: found.validator) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return MountStat(
            size: limit(found.bytes),
            isReady: found.flags & UInt32(DAGSTORE_MOUNT_NOT_READY) == 0,
            validator: validator.isEmpty ? nil : validator
        )
    }

    private func openBlocking() throws(MountError) -> CallbackSource {
        let text = CText(url.text)
        var source: UnsafeMutableRawPointer?
        var size: UInt64 = .max
        // SAFETY: the caller's function with its context; the text and the places stay for the call.
        try unsafe hook.call("open", url) { error in
            unsafe hook.table.open(hook.context.pointer, text.start, &source, &size, error)
        }
        let opened = CallbackSource(hook, url, Context(source), size)
        guard access != .random || size != .max else {
            throw MountError(.unreachable, "\(url): open gave no size, which a random source needs")
        }
        return opened
    }
}

/// The open source of such a mount; `deinit`, and so the end of the last read, closes it.
private final class CallbackSource: BlockingSource, SequentialSource {
    private let hook: MountHook
    private let url: MountURL
    private let source: Context
    let size: UInt64
    private let position = Atomic<UInt64>(0)
    private let isInterrupted = Atomic<Bool>(false)

    init(_ hook: MountHook, _ url: MountURL, _ source: Context, _ size: UInt64) {
        self.hook = hook
        self.url = url
        self.source = source
        self.size = size
    }

    deinit {
        // SAFETY: the caller's function, with the source that it gave out; no read is under way any more.
        runCallback { unsafe hook.table.close(hook.context.pointer, source.pointer) }
    }

    func close() {
        guard !isInterrupted.exchange(true, ordering: .relaxed) else { return }
        // SAFETY: the caller's function, with the source that it gave out; `deinit` closes the source later.
        runCallback { unsafe hook.table.interrupt?(hook.context.pointer, source.pointer) }
    }

    // MARK: Random

    func readBlocking(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int {
        var done = 0
        while done < buffer.count {
            // SAFETY: `done` is at most the buffer's size; the buffer stays for the call.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try unsafe readOnce(at: offset + UInt64(done), into: rest)
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
        // SAFETY: the buffer stays until the closure returns.
        try await CallbackThreads.reads.run { [self] in
            try unsafe array(of: size) { buffer throws(MountError) in
                try unsafe readBlocking(at: offset, into: buffer)
            }
        }
    }

    // MARK: Sequential

    func read(upTo size: Int) async throws -> [UInt8] {
        // SAFETY: the buffer stays until the closure returns.
        try await CallbackThreads.reads.run { [self] in
            let bytes = try unsafe array(of: size) { buffer throws(MountError) in
                try unsafe readOnce(at: position.load(ordering: .relaxed), into: buffer)
            }
            position.add(UInt64(bytes.count), ordering: .relaxed)
            return bytes
        }
    }

    private func array(
        of size: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(MountError) -> Int
    ) throws -> [UInt8] {
        // SAFETY: the array's own room, of which `body` wrote as many bytes as it returns.
        try unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = try unsafe body(
                UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size]
                )
            )
        }
    }

    private func readOnce(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int {
        var count = 0
        guard let start = buffer.baseAddress, buffer.count > 0 else { return 0 }
        // SAFETY: the caller's function with its source; the buffer has `count` bytes and stays for the call.
        try unsafe hook.call("read_at", url) { error in
            unsafe hook.table.read_at(
                hook.context.pointer,
                source.pointer,
                offset,
                start.assumingMemoryBound(to: UInt8.self),
                buffer.count,
                &count,
                error
            )
        }
        guard count >= 0, count <= buffer.count else {
            throw MountError(
                .unreachable,
                "\(url): read_at wrote \(count) bytes into \(buffer.count)"
            )
        }
        return count
    }
}

/// The object of a handle for mount schemes.
final class MountsBox: Sendable {
    private let registry = Lock(MountRegistry.standard)

    /// The schemes so far.
    var current: MountRegistry { registry.withLock { $0 } }

    /// Adds a scheme.
    ///
    /// - Throws: `MountError`.
    func add(_ hook: MountHook, scheme: String) throws {
        let template = CallbackMount(url: try MountURL("\(scheme)://"), hook: hook)
        try registry.withLock { registry throws(MountError) in
            try registry.register(template, scheme: scheme)
        }
        hook.adopt()
    }
}
