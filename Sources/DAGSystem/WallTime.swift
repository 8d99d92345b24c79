extension ThisProcess {
    /// The seconds since 1 January 1970, UTC, by the system's clock; 0 if the system cannot say.
    ///
    /// The corresponding C function is `clock_gettime`.
    package static var secondsSince1970: Int64 {
        var time = timespec()
        // SAFETY: the call fills `time`.
        guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return Int64(time.tv_sec)
    }
}
