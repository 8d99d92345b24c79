internal import AdminMessages
internal import ArgumentParser
internal import DAGBytes
internal import Synchronization
internal import SystemPackage

/// A bar on standard error: the bytes done, the rate and the time left.
///
/// *Concurrency*: any thread may update it.
final class ProgressBar: Sendable {
    /// When to show a bar.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        /// On a terminal, after a second.
        case auto
        /// At once, whatever standard error is.
        case always
        /// Never.
        case never
    }

    /// The time before a bar appears.
    private static let delay = Duration.seconds(1)
    /// The least time between two drawings.
    private static let interval = Duration.milliseconds(100)
    private static let barWidthMax = 40

    private struct State {
        var done: UInt64 = 0
        var next: ContinuousClock.Instant
        var isDrawn = false
        var isFinished = false
    }

    private let label: String
    /// The client whose terminal shows the bar; the store's threads, which update it, do not know it.
    private let client = Console.client
    private let isUTF8 = ProgressBar.isUTF8
    /// Whether the bar may appear.
    let isShown: Bool
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    /// Makes a bar for `label`.
    init(_ mode: Mode, _ label: String) {
        self.label = label.printable
        isShown =
            switch mode {
            case .auto:
                Console.isTerminal(.error) && Console.variable("TERM") != "dumb"
            case .always: true
            case .never: false
            }
        state = Mutex(State(next: mode == .always ? start : start + Self.delay))
        guard isShown else { return }
        Interruption.setBar(self)
        if mode == .always { update(0, of: 0) }
    }

    /// Sets the number of bytes done, unless another thread has set more.
    func update(_ done: UInt64, of total: UInt64) {
        guard isShown else { return }
        state.withLock { state in
            state.done = max(state.done, done)
            let now = ContinuousClock.now
            guard !state.isFinished, now >= state.next else { return }
            state.next = now + Self.interval
            state.isDrawn = true
            write("\r\(line(state.done, total, now - start))\u{1B}[K")
        }
    }

    /// Wipes the bar for good.
    func finish() {
        guard isShown else { return }
        state.withLock { state in
            if state.isDrawn, !state.isFinished { write("\r\u{1B}[K") }
            state.isFinished = true
        }
    }

    private func write(_ text: String) {
        if let client { return client.offer(text) }
        // A bar is not worth an error.
        try? Array(text.utf8).withView { bytes throws(Errno) in
            try Kernel.writeAll(bytes, to: .standardError)
        }
    }

    // MARK: Drawing

    private func line(_ done: UInt64, _ total: UInt64, _ time: Duration) -> String {
        // The last column stays free: some terminals begin a new line after it.
        let own = client == nil ? Kernel.width(of: .standardError) : client?.columns
        let width = (own ?? Self.columns ?? 80) - 1
        let numbers = numbers(done, total, time)
        var room = width - numbers.count - 2
        let barWidth = min(Self.barWidthMax, room / 2)
        guard barWidth >= 5 else { return String(numbers.prefix(max(0, width))) }
        room -= barWidth + 2
        let name = label.count > room ? label.prefix(max(0, room - 1)) + "…" : label[...]
        return "\(name)  \(bar(done, total, barWidth))  \(numbers)"
    }

    private func numbers(_ done: UInt64, _ total: UInt64, _ time: Duration) -> String {
        let part = total == 0 ? 0 : Double(done) / Double(total)
        var text = "\(Int(part * 100))%".aligned(to: 4)
        text += "  \(done.asSize(.ofErrors).aligned(to: 8)) of \(total.asSize(.ofErrors))"
        guard let rate = time.rate(of: done), rate > 0 else { return text }
        let left = (total - min(done, total)) / rate
        let seconds = String(100 + left % 60).dropFirst()
        return text
            + "  \("\(rate.asSize(.ofErrors))/s".aligned(to: 10))  \(left / 60):\(seconds) left"
    }

    private func bar(_ done: UInt64, _ total: UInt64, _ width: Int) -> String {
        let part = total == 0 ? 0 : min(1, Double(done) / Double(total))
        let full = Int(part * Double(width))
        let (mark, rest) = isUTF8 ? ("█", "░") : ("#", ".")
        return String(repeating: mark, count: full) + String(repeating: rest, count: width - full)
    }

    private static var columns: Int? {
        Console.variable("COLUMNS").flatMap { Int($0) }.flatMap {
            (1...10_000).contains($0) ? $0 : nil
        }
    }

    private static var isUTF8: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let locale = names.lazy.compactMap { Console.variable($0) }.first ?? ""
        let name = locale.lowercased()
        return name.hasSuffix("utf-8") || name.hasSuffix("utf8")
    }
}
