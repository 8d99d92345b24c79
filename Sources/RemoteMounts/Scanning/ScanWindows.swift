internal import DAGMounts

/// The plan of a scan with the bytes that its windows brought: a value, without I/O and clock.
///
/// A window is known by its whole range, because two requests may begin at the same offset and have different ends.
struct ScanWindows {
    /// What to ask for.
    var plan: ScanPlan
    /// The bytes of windows that the plan wants.
    private var arrived: [Range<UInt64>: [UInt8]] = [:]
    /// The failure of the window that the walk stands in.
    private var failure: MountError?

    /// Creates the windows of a plan.
    ///
    /// - Parameters:
    ///   - plan: A plan that has no windows.
    ///   - first: The first bytes of the object, as far as they belong to the payload.
    init(_ plan: ScanPlan, first: [UInt8]) {
        self.plan = plan
        guard !first.isEmpty else { return }
        let window = 0..<UInt64(first.count)
        self.plan.begin(with: window)
        arrived = [window: first]
    }

    /// Moves to the header that the walk needs next; see `ScanPlan.arrive(at:needs:sections:)`.
    mutating func arrive(at offset: UInt64, needs size: UInt64, sections: UInt64) {
        plan.arrive(at: offset, needs: size, sections: sections)
        arrived = arrived.filter { plan.wants($0.key) }
        failure = nil
    }

    /// Ends the request for a window.
    ///
    /// If the walk stands in a window that failed, it gets the failure. If the walk is not there yet, it asks for the
    /// window again when it arrives.
    ///
    /// - Parameters:
    ///   - window: The range that was asked for.
    ///   - outcome: All bytes of the range, or what went wrong.
    ///   - seconds: The time that the request took.
    mutating func finish(
        _ window: Range<UInt64>,
        _ outcome: Result<[UInt8], MountError>,
        seconds: Double
    ) {
        let error: MountError
        switch outcome {
        case .success(let bytes) where bytes.count == window.count:
            plan.finish(window, seconds: seconds)
            if plan.wants(window) { arrived[window] = bytes }
            return
        case .success: error = MountError(.shortRead, "scan: bytes are missing")
        case .failure(let reason): error = reason
        }
        plan.finish(window, seconds: nil)
        // Another request for the same window may have brought it.
        guard arrived[window] == nil else { return }
        if plan.lose(window) { failure = error }
    }

    /// Returns the bytes from `offset` on, where the walk stands.
    ///
    /// - Parameters:
    ///   - offset: The offset of the last arrival.
    ///   - size: The bytes that the walk needs there.
    /// - Returns: The rest of the window, the failure of its request, or nil if the request still runs.
    func answer(at offset: UInt64, needs size: Int) -> Result<ArraySlice<UInt8>, MountError>? {
        if let window = plan.windows.first, window.lowerBound <= offset,
            let bytes = arrived[window]
        {
            let rest = bytes.dropFirst(Int(offset - window.lowerBound))
            if rest.count >= size { return .success(rest) }
        }
        return failure.map { .failure($0) }
    }
}
