/// The process that this code runs in, and its machine.
///
/// *Concurrency*: any thread.
package enum ThisProcess {
    /// The process's number.
    ///
    /// The corresponding C function is `getpid`.
    package static var number: Int32 { getpid() }

    /// Reads an environment variable; nil if there is none.
    ///
    /// The corresponding C function is `getenv`.
    package static func environmentVariable(_ name: String) -> String? {
        // SAFETY: no code of this package changes the environment, and the string is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The number of processors that run; at least 1.
    ///
    /// The corresponding C function is `sysconf`.
    package static let processorCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// The largest size that the process may give a file, in bytes.
    ///
    /// The corresponding C function is `getrlimit`.
    package static var fileSizeMax: UInt64 {
        limit(of: RLIMIT_FSIZE).map { UInt64($0.rlim_cur) } ?? .max
    }

    /// Raises the process's limit of descriptors to the largest number that the system permits.
    ///
    /// Shells and containers often start programs with 256 or 1,024 where a million is permitted. If the system
    /// refuses, the limit stays. The corresponding C function is `setrlimit`.
    package static func raiseDescriptorLimit() {
        guard var limit = limit(of: RLIMIT_NOFILE) else { return }
        limit.rlim_cur = limit.rlim_max
        // SAFETY: the call reads `limit`.
        _ = unsafe setrlimit(number(of: RLIMIT_NOFILE), &limit)
    }

    #if canImport(Darwin)
        private typealias Resource = CInt
        private static func number(of resource: Resource) -> CInt { resource }
    #else
        private typealias Resource = __rlimit_resource
        private static func number(of resource: Resource) -> __rlimit_resource_t {
            __rlimit_resource_t(resource.rawValue)
        }
    #endif

    private static func limit(of resource: Resource) -> rlimit? {
        var limit = rlimit()
        // SAFETY: the call fills `limit`.
        guard unsafe getrlimit(number(of: resource), &limit) == 0 else { return nil }
        return limit
    }
}
