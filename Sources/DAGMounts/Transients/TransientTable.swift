internal import DAGSystem
internal import SystemPackage

/// The transients of a folder, with their users and sizes; the table touches no file.
///
/// After every step, `bytes` is the sum of the registered sizes, `reserved` the sum of all reservations, and only
/// registered transients have pins.
struct TransientTable {
    /// A registered transient.
    struct Entry {
        let transient: Transient
        var pins = 0
        /// The number of its last use; it grows with every use.
        var use: UInt64
    }

    /// The number of a fetch.
    typealias FetchNumber = UInt64

    private(set) var files: [TransientName: Entry] = [:]
    private(set) var bytes: UInt64 = 0
    private(set) var reserved: UInt64 = 0
    /// Whether changes of names are forbidden.
    var isClosed = false
    /// Files without a name, to be closed after the lock is released.
    var unlinked: [UnlinkedFile] = []
    private var uses: UInt64 = 0
    private var fetchesBegun: FetchNumber = 0
    private var reservations: [FetchNumber: UInt64] = [:]
    /// The fetch that may write each name; earlier fetches of the name may not.
    private var writers: [TransientName: FetchNumber] = [:]

    // MARK: Files

    /// Registers a transient, and replaces any other with its name.
    mutating func insert(_ transient: Transient) {
        remove(transient.name)
        uses += 1
        files[transient.name] = Entry(transient: transient, use: uses)
        bytes += transient.size
    }

    /// Removes the transient of a name, even if it is pinned.
    mutating func remove(_ name: TransientName) {
        guard let entry = files.removeValue(forKey: name) else { return }
        bytes -= entry.transient.size
    }

    /// Returns whether this very transient is registered.
    func contains(_ transient: Transient) -> Bool {
        files[transient.name]?.transient === transient
    }

    /// Marks a transient as used now.
    mutating func markUsed(_ name: TransientName) {
        uses += 1
        files[name]?.use = uses
    }

    /// Adds a pin.
    ///
    /// - Returns: Whether the transient is registered; if not, nothing changes.
    mutating func pin(_ transient: Transient) -> Bool {
        guard contains(transient) else { return false }
        files[transient.name]?.pins += 1
        markUsed(transient.name)
        return true
    }

    /// Removes a pin; does nothing if the transient was replaced or removed.
    mutating func unpin(_ transient: Transient) {
        guard contains(transient) else { return }
        assert(files[transient.name].map { $0.pins > 0 } == true)
        files[transient.name]?.pins -= 1
    }

    /// The transients, the least recently used first.
    ///
    /// *Cost*: O(n log n).
    var leastRecentlyUsed: [Entry] { files.values.sorted { $0.use < $1.use } }

    // MARK: Fetches

    /// Begins a fetch, which alone may write `name` from now on.
    mutating func beginFetch(of name: TransientName) -> FetchNumber {
        fetchesBegun += 1
        writers[name] = fetchesBegun
        reservations[fetchesBegun] = 0
        return fetchesBegun
    }

    /// Returns whether the fetch may write the name.
    func isWriter(_ number: FetchNumber, of name: TransientName) -> Bool {
        writers[name] == number
    }

    /// Revokes the right to write a name.
    ///
    /// - Returns: Whether a fetch had it.
    @discardableResult
    mutating func revokeWriter(of name: TransientName) -> Bool {
        writers.removeValue(forKey: name) != nil
    }

    /// Adds to the reservation of a fetch.
    mutating func reserve(_ size: UInt64, for number: FetchNumber) {
        guard let before = reservations[number] else { return }
        reservations[number] = before + size
        reserved += size
    }

    /// Drops the reservation of a fetch; the fetch may still run.
    mutating func dropReservation(of number: FetchNumber) {
        guard let before = reservations[number] else { return }
        reservations[number] = 0
        reserved -= before
    }

    /// Ends a fetch and drops its reservation.
    mutating func endFetch(_ number: FetchNumber, of name: TransientName) {
        reserved -= reservations.removeValue(forKey: number) ?? 0
        if isWriter(number, of: name) { revokeWriter(of: name) }
    }
}

/// A file that is open only to keep its bytes after it loses its name.
final class UnlinkedFile: Sendable {
    private let descriptor: FileDescriptor

    /// Opens a file; nil if that fails.
    init?(_ path: FilePath) {
        do throws(Errno) {
            descriptor = try .opening(path, options: [.nonBlocking, .noFollow])
        } catch {
            return nil
        }
    }

    deinit { try? descriptor.close() }
}
