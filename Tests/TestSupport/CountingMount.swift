package import DAGMounts
internal import Synchronization

/// Bytes under names, and how often they were asked for.
///
/// All mounts that one of them resolved count together.
package struct CountingMount: Mount {
    /// How often something was asked for.
    package struct Counts: Equatable, Sendable {
        /// The calls of `stat`.
        package var stats: Int
        /// The calls of `open`.
        package var opens: Int
        /// The bytes that were read, of those that are not mapped.
        package var bytes: Int

        /// Counts, of nothing if nothing is said.
        package init(stats: Int = 0, opens: Int = 0, bytes: Int = 0) {
            self.stats = stats
            self.opens = opens
            self.bytes = bytes
        }
    }

    /// What the mounts share.
    package final class State: Sendable {
        private let files = Mutex<[String: [UInt8]]>([:])
        private let counted = Mutex(Counts())

        /// No files, and nothing counted.
        package init() {}

        /// What was counted until now.
        package var counts: Counts { counted.withLock { $0 } }

        /// Puts `bytes` under `name`; nil takes away what is there.
        package func set(_ name: String, _ bytes: [UInt8]?) { files.withLock { $0[name] = bytes } }

        fileprivate func count(_ body: (inout Counts) -> Void) { counted.withLock { body(&$0) } }

        fileprivate func bytes(of name: String) throws -> [UInt8] {
            guard let bytes = files.withLock({ $0[name] }) else {
                throw MountError(.gone, "\(name): nothing is there")
            }
            return bytes
        }
    }

    package let url: MountURL
    package let access: MountAccess
    /// What is shared with every mount that this one resolves.
    package let state: State
    private let name: String

    /// A mount of what `state` has under `name`.
    ///
    /// - Throws: `MountError(.malformedURL)` if the scheme or the name cannot be part of a URL.
    package init(
        _ name: String = "bytes",
        in state: State,
        scheme: String = "counting",
        access: MountAccess = .sequential
    ) throws {
        url = try MountURL("\(scheme)://\(name)")
        self.access = access
        self.state = state
        self.name = name
    }

    /// A mount of `bytes` that shares with nobody.
    ///
    /// - Throws: `MountError(.malformedURL)`.
    package init(
        _ bytes: [UInt8],
        scheme: String = "counting",
        access: MountAccess = .sequential
    ) throws {
        try self.init(in: State(), scheme: scheme, access: access)
        state.set("bytes", bytes)
    }

    package func resolving(_ url: MountURL) throws -> CountingMount {
        let name = String(url.text.dropFirst(url.scheme.count + 3))
        return try CountingMount(name, in: state, scheme: url.scheme, access: access)
    }

    package func stat() async throws -> MountStat {
        state.count { $0.stats += 1 }
        return MountStat(size: UInt64(try state.bytes(of: name).count))
    }

    package func open() async throws -> MountSource {
        state.count { $0.opens += 1 }
        let bytes = try state.bytes(of: name)
        let counting: @Sendable (Int) async throws -> Void = { [state] size in
            state.count { $0.bytes += size }
        }
        return switch access {
        case .sequential: .sequential(MemorySequentialSource(bytes, beforeRead: counting))
        case .random: .random(MemoryRandomSource(bytes, beforeRead: counting))
        case .mappable: .bytes(MountBytes(copying: bytes))
        }
    }
}
