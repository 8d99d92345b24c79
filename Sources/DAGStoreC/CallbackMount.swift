internal import CDAGStore
internal import DAGBytes
internal import DAGMounts
internal import DAGStorage
internal import SharedReads
internal import Synchronization
internal import SystemPackage

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
        let message = messageOfCallback(error) ?? "\(name) returned \(status)"
        throw MountError(Self.code(of: status), "\(url): \(message)")
    }

    /// The kind of access of a URL.
    func access(of url: MountURL) -> MountAccess {
        var access = table.access
        // SAFETY: the caller's function with its context; the text stays for the call.
        if let accessOf = unsafe table.access_of {
            let text = CText(url.text)
            access = runCallback { unsafe accessOf(context.pointer, text.start) }
        }
        switch access {
        case UInt32(DAGSTORE_ACCESS_RANDOM): return .random
        case UInt32(DAGSTORE_ACCESS_FILE):
            return unsafe table.open_shard == nil ? .sequential : .mappable
        default: return .sequential
        }
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

/// Returns the message of an error that a callback made; nil if it made none.
@safe func messageOfCallback(_ error: OpaquePointer?) -> String? {
    // SAFETY: an error's message ends with NUL and stays while the error does.
    HandleTable.with(error, .error, as: ErrorBox.self) { unsafe String(cString: $0.message.start) }
}

/// A mount whose bytes a C caller supplies.
struct CallbackMount: Mount {
    let url: MountURL
    let hook: MountHook
    let access: MountAccess
    /// The shard that the mount serves; nil for none.
    private var shard: String?

    /// Creates the template of a scheme.
    init(template url: MountURL, _ hook: MountHook) {
        self.url = url
        self.hook = hook
        access = .sequential
    }

    private init(_ url: MountURL, _ hook: MountHook) {
        self.url = url
        self.hook = hook
        access = hook.access(of: url)
    }

    func resolving(_ url: MountURL) throws -> CallbackMount { CallbackMount(url, hook) }

    func serving(shard key: String) -> CallbackMount {
        var mount = self
        mount.shard = key
        return mount
    }

    func stat() async throws -> MountStat {
        try await CallbackThreads.stats.run { try statBlocking() }
    }

    func open() async throws -> MountSource {
        try await CallbackThreads.opens.run { try openBlocking() }
    }

    /// Calls `body` with the request for this source.
    private func withRequest<R>(
        _ body: (UnsafePointer<dagstore_mount_request_t>) throws(MountError) -> R
    ) throws(MountError) -> R {
        let key = shard.map { CText($0) }
        let text = CText(url.text)
        var request = dagstore_mount_request_t()
        request.size = UInt32(MemoryLayout<dagstore_mount_request_t>.size)
        // SAFETY: the texts and the request stay for the call.
        unsafe request.key = key.map { unsafe $0.start }
        unsafe request.url = text.start
        defer { withExtendedLifetime((key, text)) {} }
        return try unsafe withUnsafePointer(to: request) { pointer throws(MountError) in
            try unsafe body(pointer)
        }
    }

    private func statBlocking() throws(MountError) -> MountStat {
        var found = dagstore_mount_stat_t()
        found.size = UInt32(MemoryLayout<dagstore_mount_stat_t>.size)
        // SAFETY: the caller's function with its context; the texts and the places stay for the call.
        try unsafe withRequest { request throws(MountError) in
            try unsafe hook.call("stat", url) { error in
                guard let statShard = unsafe hook.table.stat_shard else {
                    return unsafe hook.table.stat(
                        hook.context.pointer,
                        request.pointee.url,
                        &found,
                        error
                    )
                }
                return unsafe statShard(hook.context.pointer, request, &found, error)
            }
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

    private func openBlocking() throws(MountError) -> MountSource {
        var found = dagstore_mount_source_t()
        found.size = UInt32(MemoryLayout<dagstore_mount_source_t>.size)
        found.bytes = .max
        // SAFETY: the caller's function with its context; the texts and the places stay for the call.
        try unsafe withRequest { request throws(MountError) in
            try unsafe hook.call("open", url) { error in
                guard let openShard = unsafe hook.table.open_shard else {
                    return unsafe hook.table.open(
                        hook.context.pointer,
                        request.pointee.url,
                        &found.source,
                        &found.bytes,
                        error
                    )
                }
                return unsafe openShard(hook.context.pointer, request, &found, error)
            }
        }
        // SAFETY: the `source` that the caller gave out.
        let source = unsafe CallbackSource(hook, url, Context(found.source), found.bytes)
        switch access {
        case .mappable:
            // SAFETY: `found` outlives the closure, which reads only its own bytes.
            let path = unsafe withUnsafeBytes(of: found.path) { bytes in
                unsafe [UInt8](bytes.prefix { $0 != 0 })
            }
            guard path.first == UInt8(ascii: "/"),
                path.count < MemoryLayout.size(ofValue: found.path)
            else {
                throw MountError(.unreachable, "\(url): open_shard gave no absolute path")
            }
            return .file(FilePath(bytes: path))
        case .random:
            guard found.bytes != .max else {
                throw MountError(
                    .unreachable,
                    "\(url): open gave no size, which a random source needs"
                )
            }
            return .random(source)
        case .sequential: return .sequential(source)
        }
    }
}

/// The open source of such a mount; `deinit`, and so the end of the last read, closes it.
private final class CallbackSource: BlockingSource, SequentialSource {
    private let hook: MountHook
    private let url: MountURL
    private let source: Context
    let size: UInt64
    /// A source that has no bytes is no CAR, so a callback that says so does not know its size.
    var expectedSize: UInt64? { size == 0 ? nil : limit(size) }
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
        let template = CallbackMount(template: try MountURL("\(scheme)://"), hook)
        try registry.withLock { registry throws(MountError) in
            try registry.register(template, scheme: scheme)
        }
        hook.adopt()
    }
}
