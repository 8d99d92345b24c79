import Glibc

/// Calls `body` with the name of each entry of a directory but `.` and `..`, in no order.
///
/// A directory that is not there has no entries.
func forEachName(in directory: String, _ body: (String) -> Void) {
    guard let stream = opendir(directory) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        body(name)
    }
}

/// Returns the size of the files under `path` on disk in bytes: `st_blocks` times 512, as `du` counts.
func allocatedSize(of path: String) -> UInt64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    var size = UInt64(status.st_blocks) * 512
    guard status.st_mode & S_IFMT == S_IFDIR else { return size }
    forEachName(in: path) { size += allocatedSize(of: "\(path)/\($0)") }
    return size
}

/// Makes a directory, with those above it, unless it is there.
func makeDirectory(_ path: String, for system: String) throws(PeerError) {
    guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
        throw PeerError(errno: errno, at: path, for: system)
    }
    try makeDirectory(String(path[..<slash]), for: system)
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
        throw PeerError(errno: errno, at: path, for: system)
    }
}

/// Waits until a file's bytes, or a directory's names, are on disk.
func synchronise(_ path: String, for system: String) throws(PeerError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw PeerError(errno: errno, at: path, for: system) }
    defer { _ = close(file) }
    guard fsync(file) == 0 else { throw PeerError(errno: errno, at: path, for: system) }
}

extension PeerError {
    init(errno: Int32, at path: String, for system: String) {
        let text = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        self.init(system: system, text: "\(path): \(text)")
    }
}

/// Whether `part` is somewhere in `bytes`.
func contains(_ part: [UInt8], in bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = part.first, var place = bytes.baseAddress else { return part.isEmpty }
    let end = place + bytes.count
    while end - place >= part.count {
        let starts = end - place - part.count + 1
        guard let found = memchr(place, Int32(first), starts) else { return false }
        guard memcmp(found, part, part.count) != 0 else { return true }
        place = UnsafeRawPointer(found) + 1
    }
    return false
}
