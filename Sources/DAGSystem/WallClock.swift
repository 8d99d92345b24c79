/// The time of day in UTC, as the system's clock tells it; it may jump.
package enum WallClock {
    /// Nanoseconds since 1970; 0 if the system cannot say.
    ///
    /// The corresponding C function is `clock_gettime`.
    package static var nanoseconds: Int64 {
        var time = timespec()
        // SAFETY: the call fills `time`.
        guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Milliseconds since 1970.
    package static var milliseconds: UInt64 { UInt64(max(0, nanoseconds)) / 1_000_000 }

    /// Seconds since 1970.
    package static var seconds: Int64 { nanoseconds / 1_000_000_000 }
}
