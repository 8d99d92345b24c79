internal import DAGSystem
internal import SystemPackage

/// Which transients there are, who uses them and how much room they take; no file is touched.
///
/// What holds after every step: `bytes` is the sum of the registered sizes, `reserved` the sum of what the
/// fetches have reserved, and only `files` have pins.
struct TransientTable {
    /// A registered copy.
    struct Entry {
        let transient: Transient
        var pins = 0
        /// When it was last used, as a number that grows with every use.
        var use: UInt64
    }

    /// Names a fetch among all of them.
    typealias FetchNumber = UInt64

    private(set) var files: [TransientName: Entry] = [:]
    private(set) var bytes: UInt64 = 0
    private(set) var reserved: UInt64 = 0
    /// Whether no name may be changed any more.
    var isClosed = false
    /// Files whose names were taken away, which whoever has the table closes without the lock.
    var unlinked: [UnlinkedFile] = []
    private var uses: UInt64 = 0
    private var fetchesBegun: FetchNumber = 0
    private var reservations: [FetchNumber: UInt64] = [:]
    /// The fetch that may write the name; an earlier one that still runs may not any more.
    private var writers: [TransientName: FetchNumber] = [:]

    // MARK: Files

    /// Registers a copy in the place of any other of the name.
    mutating func insert(_ transient: Transient) {
        forget(transient.name)
        uses += 1
        files[transient.name] = Entry(transient: transient, use: uses)
        bytes += transient.size
    }

    /// Forgets the copy of a name, pinned or not.
    mutating func forget(_ name: TransientName) {
        guard let entry = files.removeValue(forKey: name) else { return }
        bytes -= entry.transient.size
    }

    /// Whether `transient` is registered: itself, not another of its name.
    func holds(_ transient: Transient) -> Bool {
        files[transient.name]?.transient === transient
    }

    /// Says that a copy was used now.
    mutating func touch(_ name: TransientName) {
        uses += 1
        files[name]?.use = uses
    }

    /// Adds a pin.
    ///
    /// - Returns: Whether the copy is registered; if not, nothing was done.
    mutating func pin(_ transient: Transient) -> Bool {
        guard holds(transient) else { return false }
        files[transient.name]?.pins += 1
        touch(transient.name)
        return true
    }

    /// Takes a pin away; nothing happens if the copy was replaced or forgotten.
    mutating func unpin(_ transient: Transient) {
        guard holds(transient) else { return }
        assert(files[transient.name].map { $0.pins > 0 } == true)
        files[transient.name]?.pins -= 1
    }

    /// The copies, the one that was not used for longest first.
    ///
    /// *Cost*: O(n log n).
    var leastRecentlyUsed: [Entry] { files.values.sorted { $0.use < $1.use } }

    // MARK: Fetches

    /// Begins a fetch that alone may write `name` from now on.
    mutating func beginFetch(of name: TransientName) -> FetchNumber {
        fetchesBegun += 1
        writers[name] = fetchesBegun
        reservations[fetchesBegun] = 0
        return fetchesBegun
    }

    /// Whether the fetch may write the name.
    func isWriter(_ number: FetchNumber, of name: TransientName) -> Bool {
        writers[name] == number
    }

    /// Takes the right to write a name from whoever has it.
    ///
    /// - Returns: Whether a fetch had it.
    @discardableResult
    mutating func revokeWriter(of name: TransientName) -> Bool {
        writers.removeValue(forKey: name) != nil
    }

    /// Adds to what a fetch has reserved.
    mutating func reserve(_ size: UInt64, for number: FetchNumber) {
        guard let before = reservations[number] else { return }
        reservations[number] = before + size
        reserved += size
    }

    /// Gives back what a fetch has reserved; the fetch may still end.
    mutating func giveBackRoom(of number: FetchNumber) {
        guard let before = reservations[number] else { return }
        reservations[number] = 0
        reserved -= before
    }

    /// Ends a fetch and gives back what it had reserved.
    mutating func endFetch(_ number: FetchNumber, of name: TransientName) {
        reserved -= reservations.removeValue(forKey: number) ?? 0
        if isWriter(number, of: name) { revokeWriter(of: name) }
    }
}

/// A file that is open only so that it outlives its name.
final class UnlinkedFile: Sendable {
    private let descriptor: FileDescriptor

    /// Opens a file; nil if that cannot be done.
    init?(_ path: FilePath) {
        do throws(Errno) {
            descriptor = try .opening(path, options: [.nonBlocking, .noFollow])
        } catch {
            return nil
        }
    }

    deinit { try? descriptor.close() }
}
