internal import DAGBytes
package import DAGMounts
internal import SystemPackage

/// What a mount does otherwise than it must.
package struct MountProblem: Error, CustomStringConvertible {
    /// What was found.
    package let description: String
}

/// Holds `mount`, which has `bytes`, to what every mount promises.
///
/// - Throws: `MountProblem`; what the mount throws.
package func checkMount(_ mount: some Mount, bytes: [UInt8]) async throws {
    try await checkStat(mount, bytes)
    try await checkReading(mount, bytes)
    let again = try mount.resolving(mount.url)
    try check(again.url == mount.url, "resolving gives the URL \(again.url), not \(mount.url)")
    try check(again.access == mount.access, "resolving gives \(again.access)")
    try await checkStat(again, bytes)
    // Twice, because a source that was closed must not take the mount with it.
    for _ in 0..<2 { try await checkReading(again, bytes) }
}

private func checkStat(_ mount: some Mount, _ bytes: [UInt8]) async throws {
    let stat = try await mount.stat()
    try check(stat.size == nil || stat.size == UInt64(bytes.count), "stat says \(stat)")
    try check(stat.isReady, "the mount is not ready")
    let again = try await mount.stat()
    try check(again == stat, "stat says \(stat), then \(again)")
}

private func checkReading(_ mount: some Mount, _ bytes: [UInt8]) async throws {
    let source = try await mount.open()
    switch (source, mount.access) {
    case (.file(let path), .mappable):
        try checkRanges(of: LocalFile(opening: path), bytes)
    case (.bytes(let memory), .mappable):
        try checkRanges(of: MemoryBytes(memory, name: mount.url.text), bytes)
    case (.random(let source), .random):
        defer { source.close() }
        try await checkRanges(of: source, bytes)
    case (.sequential(let source), .sequential):
        defer { source.close() }
        try await checkWhole(source, bytes)
    default: throw MountProblem(description: "\(mount.access) opens as \(source)")
    }
}

/// Ranges at the beginning, in the middle, at the end, over it and beyond it.
private func ranges(of size: Int) -> [(offset: Int, size: Int)] {
    [
        (0, size), (0, 1), (0, 0), (size / 2, 1), (size / 3, size / 2), (max(0, size - 1), 1),
        (max(0, size - 1), 100), (size, 1), (size, 0), (size + 1, 10), (size + 1_000_000, 1),
    ]
}

private func part(_ bytes: [UInt8], _ range: (offset: Int, size: Int)) -> [UInt8] {
    Array(bytes.dropFirst(range.offset).prefix(range.size))
}

private func checkRanges(of source: some ByteSource, _ bytes: [UInt8]) throws {
    try check(source.size == UInt64(bytes.count), "the size is \(source.size)")
    let window = FileWindow(on: source, capacity: max(100, bytes.count))
    for range in ranges(of: bytes.count) {
        try window.read(at: UInt64(range.offset), size: range.size)
        try check(window.bytes.copied == part(bytes, range), "\(range) has other bytes")
    }
    try source.checkUnchanged()
}

private func checkRanges(of source: any RandomSource, _ bytes: [UInt8]) async throws {
    try check(source.size == UInt64(bytes.count), "the size is \(source.size)")
    for range in ranges(of: bytes.count) {
        let found = try await source.read(at: UInt64(range.offset), size: range.size)
        try check(found == part(bytes, range), "\(range) has other bytes")
    }
}

private func checkWhole(_ source: any SequentialSource, _ bytes: [UInt8]) async throws {
    var found: [UInt8] = []
    var asked = 1
    while found.count <= bytes.count {
        let more = try await source.read(upTo: asked)
        try check(more.count <= asked, "\(more.count) bytes, and \(asked) were asked for")
        guard !more.isEmpty else { break }
        found += more
        asked = asked * 3 + 1
    }
    try check(found == bytes, "other bytes came")
    let afterEnd = try await source.read(upTo: 1)
    try check(afterEnd.isEmpty, "bytes come after the end")
}

private func check(_ isRight: Bool, _ problem: @autoclosure () -> String) throws {
    guard !isRight else { return }
    throw MountProblem(description: problem())
}
