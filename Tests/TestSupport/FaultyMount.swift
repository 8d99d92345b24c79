package import DAGMounts
internal import Synchronization

/// Bytes that go wrong in the way that a test asks for.
///
/// All mounts that one of them resolved have the same faults, whatever their names.
package struct FaultyMount: Mount {
    /// A step of reaching the bytes.
    package enum Step: Hashable, Sendable, CaseIterable {
        case stat, open, read
    }

    /// What goes wrong.
    package struct Faults: Sendable {
        /// What is there; nil if nothing is.
        package var bytes: [UInt8]?
        /// What is there at the next openings, one each; then it stays as the last of them.
        package var bytesOfNextOpens: [[UInt8]] = []
        /// How many times more each step throws before it works.
        package var failuresLeft: [Step: Int] = [:]
        /// What it throws.
        package var failure = MountError(.unreachable, "asked to fail")
        /// The steps that wait for the gate.
        package var hanging: Set<Step> = []
        /// Whether what hangs ends when its task is cancelled.
        package var heedsCancellation = true
        /// How many bytes more than announced there are; fewer if negative.
        package var lengthChange = 0
        /// Whether the size is told before the bytes are read.
        package var tellsSize = true
        /// Whether an open source that is read once tells the size.
        package var tellsSizeAtOpen = false
        /// Whether the bytes can be had now.
        package var isReady = true
        /// The validator that is told.
        package var validator: String?

        /// Nothing goes wrong.
        package init(_ bytes: [UInt8]?) { self.bytes = bytes }
    }

    /// What the mounts share.
    package final class State: Sendable {
        /// What hanging steps wait for.
        package let gate = Gate()
        private let current: Mutex<Faults>
        private let taken = Mutex<[Step: Int]>([:])

        /// Begins with `faults`.
        package init(_ faults: Faults) { current = Mutex(faults) }

        /// What goes wrong now.
        package var faults: Faults { current.withLock { $0 } }

        /// Makes something else go wrong.
        package func change(_ body: (inout Faults) -> Void) { current.withLock { body(&$0) } }

        /// How often a step was begun.
        package func count(of step: Step) -> Int { taken.withLock { $0[step] ?? 0 } }

        fileprivate func take(_ step: Step) async throws {
            taken.withLock { $0[step, default: 0] += 1 }
            let faults = faults
            if faults.hanging.contains(step) {
                try await gate.pass(heedingCancellation: faults.heedsCancellation)
            }
            let fails = current.withLock { faults in
                guard let left = faults.failuresLeft[step], left > 0 else { return false }
                faults.failuresLeft[step] = left - 1
                return true
            }
            if fails { throw faults.failure }
        }

        fileprivate func bytes() throws -> [UInt8] {
            guard let bytes = faults.bytes else { throw MountError(.gone, "nothing is there") }
            return bytes
        }
    }

    package let url: MountURL
    package let access: MountAccess
    /// What is shared with every mount that this one resolves.
    package let state: State

    /// A mount with the faults of `state`.
    ///
    /// - Throws: `MountError(.malformedURL)` if the scheme or the name cannot be part of a URL.
    package init(
        _ state: State,
        name: String = "bytes",
        scheme: String = "faulty",
        access: MountAccess = .sequential
    ) throws {
        url = try MountURL("\(scheme)://\(name)")
        self.access = access
        self.state = state
    }

    private init(_ url: MountURL, _ access: MountAccess, _ state: State) {
        self.url = url
        self.access = access
        self.state = state
    }

    package func resolving(_ url: MountURL) throws -> FaultyMount {
        FaultyMount(url, access, state)
    }

    package func stat() async throws -> MountStat {
        try await state.take(.stat)
        let faults = state.faults
        let size = UInt64(try state.bytes().count)
        return MountStat(
            size: faults.tellsSize ? size : nil,
            isReady: faults.isReady,
            validator: faults.validator
        )
    }

    package func open() async throws -> MountSource {
        try await state.take(.open)
        state.change { faults in
            guard !faults.bytesOfNextOpens.isEmpty else { return }
            faults.bytes = faults.bytesOfNextOpens.removeFirst()
        }
        let bytes = try state.bytes()
        let change = state.faults.lengthChange
        let beforeRead: @Sendable (Int) async throws -> Void = { [state] _ in
            try await state.take(.read)
        }
        let changed =
            Array(bytes.dropLast(max(0, -change))) + [UInt8](repeating: 0, count: max(0, change))
        return switch access {
        case .sequential:
            .sequential(
                MemorySequentialSource(
                    changed,
                    expectedSize: state.faults.tellsSizeAtOpen ? UInt64(bytes.count) : nil,
                    beforeRead: beforeRead
                )
            )
        case .random:
            .random(MemoryRandomSource(bytes, lengthChange: change, beforeRead: beforeRead))
        case .mappable: .bytes(MountBytes(copying: changed))
        }
    }
}
