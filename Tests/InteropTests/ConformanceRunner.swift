import DAGBytes
import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport

/// Runs the steps of the table on one store.
struct ConformanceRunner {
    private let folder: TemporaryFolder
    private var store: DAGStore?
    private var leases: [String: Shard] = [:]
    private var lastError: DAGStoreError?
    private var arguments: [String: String] = [:]

    init() throws { folder = try TemporaryFolder() }

    /// Runs a step, and returns its result as the table writes it.
    mutating func result(of step: [String: String]) async -> String {
        arguments = step.mapValues {
            $0.replacingOccurrences(of: "$DIR", with: folder.path(of: ""))
        }
        arguments["hex"] = step["hex"]
        let operation = step["op"] ?? ""
        if operation == "error" { return errorField }
        do {
            return try await run(operation)
        } catch {
            let error = DAGStoreError(any: error)
            lastError = error
            return error.code.name
        }
    }

    mutating func close() async {
        await store?.close()
        store = nil
    }

    private var errorField: String {
        switch arguments["field"] {
        case "offset": lastError?.offset.map { "\($0)" } ?? "-"
        default: lastError?.shard?.text ?? "-"
        }
    }

    private mutating func run(_ operation: String) async throws -> String {
        if operation.hasPrefix("lease.") { return try await runOnLease(operation) }
        if operation.hasPrefix("cid.") { return try runOnCID(operation) }
        switch operation {
        case "file", "remove", "truncate": return try runOnFile(operation)
        case "car.inspect", "car.verify": return try runOnCAR(operation)
        case "open":
            let opened = try DAGStore.open(
                at: path,
                mounts: Self.mounts(),
                configuration: configuration
            )
            store = opened
            return "ok"
        case "close":
            await close()
            return "ok"
        case "shutdown":
            await store?.close()
            return "ok"
        case "acquire":
            let shard = try await acquire()
            leases[argument("lease")] = shard
            return "ok"
        case "release":
            leases.removeValue(forKey: argument("lease"))?.release()
            return "ok"
        default: return try await runOnStore(operation)
        }
    }

    // MARK: Arguments

    private func argument(_ name: String) -> String { arguments[name] ?? "" }
    private var path: FilePath { FilePath(argument("path")) }

    private func words(_ name: String) -> [String] {
        argument(name).split(separator: " ").map(String.init)
    }

    private func key() throws -> ShardKey { try ShardKey(argument("key")) }

    private static func bytes(_ hex: some StringProtocol) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).map { place in
            let start = hex.utf8.index(hex.startIndex, offsetBy: place)
            return UInt8(hex[start..<hex.utf8.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }

    private static func cid(_ text: String) throws -> CID {
        text.hasPrefix("0x") ? try CID(bytes: bytes(text.dropFirst(2))) : try CID(text)
    }

    private func cid() throws -> CID { try Self.cid(argument("cid")) }

    private var deadline: ContinuousClock.Instant? {
        Int(argument("timeout")).map { .now + .milliseconds($0) }
    }

    private var configuration: Configuration {
        var configuration = Configuration()
        let flags = words("flags")
        configuration.isReadOnly = flags.contains("readonly")
        configuration.continuesInterrupted = !flags.contains("leavesInterrupted")
        if flags.contains("unmapped") { configuration.mapping = .never }
        if flags.contains("refusesNullPadding") { configuration.limits.nullPadding = .refused }
        return configuration
    }

    private static func mounts() throws -> MountRegistry {
        var mounts = MountRegistry.standard
        for scheme in ["sequential", "random"] {
            try mounts.register(SuppliedMount(url: MountURL("\(scheme)://")), scheme: scheme)
        }
        return mounts
    }

    /// Returns the store, which must be open.
    private func open() throws -> DAGStore {
        guard let store else { throw DAGStoreError(.closed, "the table has no open store") }
        return store
    }

    private func acquire() async throws -> Shard {
        let store = try open()
        guard argument("timeout") == "0" else {
            return try await store.acquire(key(), deadline: deadline)
        }
        guard let shard = try store.acquireIfAvailable(key()) else {
            throw DAGStoreError(.deadlineExceeded, "there is no lease without a wait")
        }
        return shard
    }

    // MARK: Results

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func hex(_ block: Block?) throws -> String {
        guard let block else { throw DAGStoreError(.blockNotFound, "no block") }
        return hex(try block.copiedBytes)
    }

    private static func list(_ items: [String]) -> String {
        items.isEmpty ? "-" : items.map { $0.isEmpty ? "-" : $0 }.joined(separator: " ")
    }

    // MARK: Steps

    private func runOnFile(_ operation: String) throws -> String {
        let url = URL(filePath: argument("path"))
        switch operation {
        case "file":
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(Self.bytes(argument("hex"))).write(to: url, options: .atomic)
        case "remove": try FileManager.default.removeItem(at: url)
        default:
            let handle = try FileHandle(forWritingTo: url)
            try handle.truncate(atOffset: UInt64(argument("size")) ?? 0)
            try handle.close()
        }
        return "ok"
    }

    private func runOnCAR(_ operation: String) throws -> String {
        let car = try CARFile(LocalFile(opening: path), limits: CARLimits())
        guard operation == "car.verify" else {
            let found = try car.inspect()
            let layout = found.layout
            return "\(layout.version) \(layout.roots.count) \(found.sections) \(layout.dataOffset) "
                + "\(layout.dataSize)"
        }
        let found = car.verify(workers: 2)
        if let error = found.firstError { throw error }
        return "\(found.sections) \(found.unverified) \(found.mismatches)"
    }

    private func runOnCID(_ operation: String) throws -> String {
        switch operation {
        case "cid.parse": return Self.hex(try CID(argument("text")).bytes)
        case "cid.format": return try CID(bytes: Self.bytes(argument("cid"))).description
        case "cid.make":
            let multihash = try Multihash(bytes: Self.bytes(argument("multihash")))
            return Self.hex(CID(codec: UInt64(argument("codec")) ?? 0, multihash: multihash).bytes)
        default:
            let cid = try CID(bytes: Self.bytes(argument("cid")))
            return "\(cid.version) \(cid.codec) \(cid.hashCode) \(Self.hex(cid.digest))"
        }
    }

    private func runOnLease(_ operation: String) async throws -> String {
        guard let shard = leases[argument("lease")] else {
            throw DAGStoreError(.invalidArgument, "the table has no such lease")
        }
        switch operation {
        case "lease.key": return shard.key.text
        case "lease.count": return "\(shard.blockCount)"
        case "lease.roots": return Self.list(shard.roots.map(\.description))
        case "lease.contains": return "\(try shard.contains(cid()))"
        case "lease.locate":
            guard let place = try shard.location(of: cid()) else {
                throw DAGStoreError(.blockNotFound, "no block")
            }
            return "\(place.offset) \(place.blockOffset) \(place.size)"
        case "lease.get", "lease.read": return Self.hex(try await found(in: shard).copiedBytes)
        case "lease.verified": return Self.hex(try await found(in: shard).verified().copiedBytes)
        case "lease.get_many", "lease.read_many":
            var results: [String] = []
            for text in words("cids") { results.append(await Self.one(text, shard)) }
            return Self.list(results)
        case "lease.offsets":
            let cid = try cid()
            let offsets = try cid.bytes.withView { try shard.offsets(of: $0, cid.layout) }
            guard !offsets.isEmpty else { throw DAGStoreError(.blockNotFound, "no section") }
            return Self.list(offsets.map { "\($0)" })
        default:
            var sections: [String] = []
            var walk = IndexWalk(shard)
            while try walk.next({ bytes, place in
                let cid = (try? CID(bytes))?.description ?? "no CID"
                sections.append("\(cid):\(place.offset):\(place.size)")
            }) {}
            return Self.list(sections)
        }
    }

    private func found(in shard: Shard) async throws -> Block {
        guard let block = try await shard.block(for: cid()) else {
            throw DAGStoreError(.blockNotFound, "no block")
        }
        return block
    }

    /// Returns the result of one CID of a batch.
    private static func one(_ text: String, _ shard: Shard) async -> String {
        do {
            return try hex(await shard.block(for: cid(text)))
        } catch {
            return DAGStoreError(any: error).code.name
        }
    }

    private func runOnStore(_ operation: String) async throws -> String {
        let store = try open()
        switch operation {
        case "register":
            let indexing: Indexing =
                switch argument("how") {
                case "lazy": .onFirstUse
                case "background": .inBackground
                default: .now
                }
            let url = try MountURL(argument("url"))
            try await store.register(key(), from: url, indexing: indexing)
        case "initialize": try await store.initialize(key())
        case "recover": try await store.recover(key())
        case "destroy": try await store.destroy(key())
        case "relocate": try await store.relocate(key(), to: MountURL(argument("url")))
        case "policy":
            guard let policy = MountPolicy(rawValue: argument("policy")) else { return "no policy" }
            try await store.setPolicy(of: key(), to: policy)
        case "wait":
            let events = store.events()
            if try store.status(of: key())?.state.rawValue == argument("state") { return "ok" }
            for await event in events where try event.key == key() {
                if event.state?.rawValue == argument("state") { return "ok" }
            }
        case "state": return try store.status(of: key())?.state.rawValue ?? "none"
        case "info":
            guard let status = try store.status(of: key()) else {
                throw DAGStoreError(.shardUnknown, "no shard has this key")
            }
            return "\(status.state.rawValue) \(status.blockCount) \(status.payloadSize) "
                + "\(status.references) \(status.error?.code.name ?? "ok")"
        case "shards":
            var keys: [String] = []
            for try await status in store.statuses() { keys.append(status.key.text) }
            return Self.list(keys)
        case "multihashes", "multihash.offsets": return try walk(operation, store)
        case "statistics": return try statistics(store)
        case "collect":
            let report = try await store.collectGarbage(downTo: UInt64(argument("quota")))
            func count(_ results: CollectedTransient.Result...) -> Int {
                report.transients.count { results.contains($0.result) }
            }
            return "\(count(.removed)) \(count(.kept)) \(count(.inUse, .awaited)) \(count(.failed))"
        case "check":
            var options = CheckOptions()
            options.isDeep = words("flags").contains("deep")
            options.repairs = words("flags").contains("repair")
            let report = try await store.check(options)
            return "\(report.isSound ? "sound" : "unsound") \(report.problems.count)"
        case "get":
            guard argument("timeout") == "0" else {
                return try Self.hex(await store.block(for: cid(), deadline: deadline))
            }
            return try Self.hex(store.blockIfLocal(for: cid()))
        case "has": return "\(try store.contains(cid()))"
        case "size":
            guard let size = try store.size(of: cid()) else {
                throw DAGStoreError(.blockNotFound, "no block")
            }
            return "\(size)"
        case "find":
            return try Self.list(
                store.places(of: cid()).map { found in
                    let place = found.location
                    return "\(found.key):\(place.offset):\(place.blockOffset):\(place.size)"
                }
            )
        case "holders":
            let multihash = try Multihash(bytes: Self.bytes(argument("multihash")))
            return Self.list(try store.shards(containing: multihash).map(\.text))
        default: return "unknown step \(operation)"
        }
        return "ok"
    }

    private func walk(_ operation: String, _ store: DAGStore) throws -> String {
        var cursor: MultihashCursor?
        if let after = Int(argument("after")), after > 0 {
            cursor = try store.multihashes(of: key(), atMost: after).next
            guard cursor != nil else { return "-" }
        }
        var items: [String] = []
        repeat {
            let chunk = try store.multihashes(of: key(), atMost: 3, from: cursor)
            items +=
                operation == "multihashes"
                ? chunk.multihashes.map { Self.hex($0.bytes) } : chunk.offsets.map { "\($0)" }
            cursor = chunk.next
        } while cursor != nil
        return Self.list(items)
    }

    private func statistics(_ store: DAGStore) throws -> String {
        let found = try store.statistics()
        return Self.list(
            words("fields").map { field in
                switch field {
                case "shards": "\(found.shards)"
                case "available": "\(found.available)"
                case "failed": "\(found.failed)"
                case "blocks": "\(found.blocks)"
                case "leases": "\(found.leases)"
                case "payloadBytes": "\(found.payloadBytes)"
                case "transients": "\(found.transients)"
                default: "unknown field \(field)"
                }
            }
        )
    }
}
