/// A check that a server does not speak too slowly.
///
/// A timeout between two packets does not end a server that sends one byte a second; this check does.
struct ProgressMeter {
    /// The time in which the server must send `bytesMin`.
    let window: Duration
    /// The least number of bytes in a window.
    let bytesMin: Int
    private var start: Duration
    private var count = 0

    /// Begins the first window at `time`, counted from any fixed moment.
    init(window: Duration, bytesMin: Int, at time: Duration) {
        self.window = window
        self.bytesMin = bytesMin
        start = time
    }

    /// Counts bytes that came.
    ///
    /// - Returns: Whether the server is fast enough.
    mutating func record(_ bytes: Int, at time: Duration) -> Bool {
        count += bytes
        guard time - start >= window else { return true }
        defer {
            start = time
            count = 0
        }
        // A window may end late; the bytes still belong to it.
        return count >= bytesMin
    }
}
