import DAGBytes
import DAGMounts
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A mapped file of a test's own, which can lose its bytes.
private struct Scene {
    static let size = 1 << 20

    let folder: TemporaryFolder
    let mapped: MappedFile
    let content: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        content = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
        let path = try folder.write(content, to: "a")
        mapped = try MappedFile(LocalFile(opening: FilePath(path)), access: .random)
    }

    /// Makes the file shorter; the mapping does not know.
    func truncate(to size: Int) throws {
        let file = try FileHandle(forWritingTo: folder.url.appending(path: "a"))
        try file.truncate(atOffset: UInt64(size))
        try file.close()
    }

    /// Returns a copy of the bytes of `range`; nil if they are gone.
    func copy(_ range: Range<Int>) -> [UInt8]? {
        var room = [UInt8](repeating: 0xaa, count: range.count)
        let isCopied = unsafe room.withUnsafeMutableBytes { buffer in
            // SAFETY: the array is the copy's for the call.
            unsafe GuardedCopy.copy(mapped.bytes[range], into: buffer)
        }
        return isCopied ? room : nil
    }

    /// Returns copies of many ranges in one array, and the numbers of those that are gone.
    func copyMany(_ ranges: [Range<Int>]) -> (bytes: [UInt8], gone: [Int]) {
        var gone: [Int] = []
        var room = [UInt8](repeating: 0xaa, count: ranges.reduce(0) { $0 + $1.count })
        unsafe room.withUnsafeMutableBytes { buffer in
            // SAFETY: the array is the copy's for the call.
            unsafe GuardedCopy.copy(ranges.map { mapped.bytes[$0] }, into: buffer) {
                gone.append($0)
            }
        }
        return (room, gone)
    }

    /// Checks every way of copying, with half of the file gone.
    func checkCopies() throws {
        let half = Self.size / 2
        let ranges = [0..<0, 0..<1, 5..<101, 4095..<4097, 100..<half, (half - 1)..<half]
        for range in ranges { try expect(copy(range) == Array(content[range])) }
        try truncate(to: half)
        for range in ranges { try expect(copy(range) == Array(content[range])) }
        for range in [
            half..<half + 1, (half - 1)..<half + 1, half + 5000..<half + 5096, 0..<Self.size,
        ] {
            try expect(copy(range) == nil)
            try expect(GuardedCopy.copied(mapped.bytes[range]) == nil)
            try expect(GuardedCopy.array(of: mapped.bytes[range]) == nil)
            try expect(!GuardedCopy.withCopy(of: mapped.bytes[range]) { _ in })
        }
        // More ranges than share a system call, with gone ones at the beginning, between and at the end.
        let places =
            [half..<half + 1] + (0..<70).map { $0 * 100..<$0 * 100 + $0 }
            + [half - 2..<half + 2, 3..<9, half..<Self.size]
        let (found, gone) = copyMany(places)
        try expect(gone == [0, 71, 73])
        var end = 0
        for (number, range) in places.enumerated() {
            let bytes = found[end..<end + range.count]
            end += range.count
            try expect(gone.contains(number) || Array(bytes) == Array(content[range]))
        }
        for range in [7..<7, 7..<103, 0..<GuardedCopy.smallSizeMax, 7..<4000] {
            var found: [UInt8]?
            try expect(GuardedCopy.withCopy(of: mapped.bytes[range]) { found = $0.copied })
            try expect(found == Array(content[range]))
            let owned = GuardedCopy.copied(mapped.bytes[range])
            try expect(withExtendedLifetime(owned) { owned?.view.copied == found })
            try expect(GuardedCopy.array(of: mapped.bytes[range]) == found)
        }
    }

    /// Reads a lost byte outside of guarded copies.
    func fault() throws {
        try truncate(to: 0)
        let byte = mapped.bytes[Self.size / 2]
        // The print keeps the compiler from dropping the load.
        print("a byte that is gone: \(byte)")
    }
}

/// An expectation that exit tests can have too: the process ends badly if it fails.
private func expect(
    _ holds: Bool,
    _ place: SourceLocation = #_sourceLocation
) throws {
    guard !holds else { return }
    throw Unexpected(place: place)
}

private struct Unexpected: Error { let place: SourceLocation }

/// Sets the action for SIGBUS, as an embedder would before it uses this package.
///
/// - Parameters:
///   - flags: `SA_SIGINFO` or none; selects one of the two handlers.
///   - ends: Whether the handler ends the process, with code 42, or 43 with `SA_SIGINFO`.
private func setHandler(flags: Int32, ends: Bool) {
    var action = sigaction()
    unsafe sigemptyset(&action.sa_mask)
    action.sa_flags = flags
    #if canImport(Darwin)
        unsafe action.__sigaction_u.__sa_handler = ends ? { _ in _exit(42) } : SIG_IGN
        if flags & SA_SIGINFO != 0 {
            unsafe action.__sigaction_u.__sa_sigaction = { _, _, _ in _exit(43) }
        }
    #else
        unsafe action.__sigaction_handler.sa_handler = ends ? { _ in _exit(42) } : SIG_IGN
        if flags & SA_SIGINFO != 0 {
            unsafe action.__sigaction_handler.sa_sigaction = { _, _, _ in _exit(43) }
        }
    #endif
    // SAFETY: the handlers only end the process, which any handler may do.
    unsafe sigaction(SIGBUS, &action, nil)
}

/// The handler that `chainHandler` found, and passes signals to.
nonisolated(unsafe) private var chainedAction = sigaction()

/// Installs a handler that hands every signal on to the one that is there, as embedders do.
private func chainHandler() {
    var action = sigaction()
    unsafe sigemptyset(&action.sa_mask)
    // Without SA_NODEFER: the system blocks the signal while the handler runs.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK
    #if canImport(Darwin)
        unsafe action.__sigaction_u.__sa_sigaction = { signal, info, context in
            unsafe chainedAction.__sigaction_u.__sa_sigaction(signal, info, context)
        }
    #else
        unsafe action.__sigaction_handler.sa_sigaction = { signal, info, context in
            unsafe chainedAction.__sigaction_handler.sa_sigaction(signal, info, context)
        }
    #endif
    // SAFETY: the handler only calls the earlier one, which was set before.
    unsafe sigaction(SIGBUS, nil, &chainedAction)
    unsafe sigaction(SIGBUS, &action, nil)
}

@Suite("Guarded copies")
struct GuardedCopyTests {
    @Test("under the guard, lost bytes are reported as gone")
    func withGuard() throws {
        #expect(GuardedCopy.install())
        #expect(GuardedCopy.isInstalled)
        try Scene().checkCopies()
        // Twice, because the first fault must leave the guard intact.
        try Scene().checkCopies()
        #expect(GuardedCopy.install())
    }

    #if os(Linux)
        @Test("without the guard, the system reports lost bytes as gone")
        func withoutGuard() async {
            await #expect(processExitsWith: .success) {
                try expect(!GuardedCopy.isInstalled)
                try Scene().checkCopies()
                try expect(!GuardedCopy.isInstalled)
            }
        }
    #endif

    @Test("eight threads at once each get a correct result")
    func threads() throws {
        GuardedCopy.install()
        let scene = try Scene()
        try scene.truncate(to: Scene.size / 2)
        let wrong = Atomic(0)
        let gone = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var generator = SplitMix64(seed: UInt64(thread))
            for _ in 0..<2000 {
                let start = Int(generator.next() % UInt64(Scene.size - 96))
                let range = start..<start + 96
                let found = scene.copy(range)
                let expected =
                    range.upperBound <= Scene.size / 2 ? Array(scene.content[range]) : nil
                if found != expected { wrong.add(1, ordering: .relaxed) }
                if found == nil { gone.add(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(gone.load(ordering: .relaxed) > 1000)
    }

    @Test("a fault outside of guarded copies ends the process by SIGBUS")
    func faultElsewhere() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            try expect(GuardedCopy.install())
            let scene = try Scene()
            try scene.truncate(to: 100)
            try expect(scene.copy(8000..<8096) == nil)
            try scene.fault()
        }
    }

    @Test("a sent signal ends the process by SIGBUS")
    func signalThatIsSent() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            try expect(GuardedCopy.install())
            raise(SIGBUS)
        }
    }

    @Test("a fault outside guarded copies goes to the earlier handler")
    func chains() async {
        await #expect(processExitsWith: .exitCode(42)) {
            setHandler(flags: 0, ends: true)
            try expect(GuardedCopy.install())
            try expect(GuardedCopy.install())
            try Scene().checkCopies()
            try Scene().fault()
        }
        await #expect(processExitsWith: .exitCode(43)) {
            setHandler(flags: SA_SIGINFO, ends: true)
            try expect(GuardedCopy.install())
            try Scene().checkCopies()
            try Scene().fault()
        }
    }

    @Test(
        "a later handler that passes faults on with the signal blocked can do so any number of times"
    )
    func chained() async {
        await #expect(processExitsWith: .success) {
            try expect(GuardedCopy.install())
            chainHandler()
            for _ in 0..<3 { try Scene().checkCopies() }
        }
    }

    @Test("a fault that was ignored before ends the process")
    func ignored() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            setHandler(flags: 0, ends: false)
            try expect(GuardedCopy.install())
            try Scene().fault()
        }
    }

    @Test("a sent signal that was ignored before stays ignored")
    func ignoredWhenSent() async {
        await #expect(processExitsWith: .success) {
            setHandler(flags: 0, ends: false)
            try expect(GuardedCopy.install())
            raise(SIGBUS)
            try Scene().checkCopies()
        }
    }

    @Test("a copy larger than the buffer is the caller's bug")
    func roomTooSmall() async {
        await #expect(processExitsWith: .failure) {
            var room = [UInt8](repeating: 0, count: 3)
            [1, 2, 3, 4].withView { view in
                unsafe room.withUnsafeMutableBytes { buffer in
                    // SAFETY: the array is the copy's for the call, which ends the process.
                    _ = unsafe GuardedCopy.copy(view, into: buffer)
                }
            }
        }
    }
}
