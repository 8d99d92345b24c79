import Glibc
import SystemPackage

/// Nanoseconds of a clock that only goes forward.
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// A field of `/proc/self/status` in bytes.
func memory(_ field: String) -> Double {
    guard let file = try? FileDescriptor.open("/proc/self/status", .readOnly) else { return 0 }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }) else {
        return 0
    }
    for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(field + ":") {
        let digits = line.filter(\.isNumber)
        return (Double(digits) ?? 0) * 1024
    }
    return 0
}

/// Writes a file anew.
func writeFile(_ bytes: [UInt8], to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path,
        .writeOnly,
        options: [.create, .truncate],
        permissions: [.ownerReadWrite]
    )
    try file.closeAfter { _ = try file.writeAll(bytes) }
}

/// Runs `body` on `count` threads and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Box: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var threads: [pthread_t] = []
    for index in 0..<count {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box { body(index) })
        pthread_create(
            &thread,
            nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            },
            box.toOpaque()
        )
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// Keeps the optimizer from removing the computation of `value`.
@inline(never)
func consume<T>(_ value: T) {}
