internal import SystemPackage

/// The process that this code runs in, and its machine.
///
/// *Concurrency*: any thread.
package enum ThisProcess {
    /// The process's number.
    ///
    /// The corresponding C function is `getpid`.
    package static var number: Int32 { getpid() }

    /// The number of the user as whom the process runs.
    ///
    /// The corresponding C function is `geteuid`.
    package static var userNumber: UInt32 { geteuid() }

    /// Reads an environment variable; nil if there is none.
    ///
    /// The corresponding C function is `getenv`.
    package static func environmentVariable(_ name: String) -> String? {
        // SAFETY: no code of this package changes the environment, and the string is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The name of the machine in the network; empty if it has none.
    ///
    /// The corresponding C function is `gethostname`.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        // SAFETY: the buffer has one byte more than the call may write.
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
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

    /// What the process uses.
    package struct Use: Sendable {
        /// The time of all processors, in seconds.
        package let processorSeconds: Double
        /// The memory in bytes; nil if the system does not tell.
        package let residentBytes: UInt64?
        /// The number of open descriptors; nil if the system does not tell.
        package let descriptorCount: Int?
    }

    /// What the process uses now.
    ///
    /// *Cost*: three system calls, and one for each 500 descriptors. The corresponding C function is `getrusage`.
    package static var use: Use {
        var usage = rusage()
        // SAFETY: the call fills the structure.
        #if canImport(Darwin)
            _ = unsafe getrusage(RUSAGE_SELF, &usage)
        #else
            _ = unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        let statm = try? FileSystem.contents(of: "/proc/self/statm", sizeMax: 4096)
        let pages = statm.flatMap { bytes -> UInt64? in
            let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            return words.count > 1 ? UInt64(words[1]) : nil
        }
        return Use(
            processorSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            residentBytes: pages.map { $0 * UInt64(sysconf(Int32(_SC_PAGESIZE))) },
            descriptorCount: (try? FileSystem.names(in: "/proc/self/fd"))?.count
        )
    }

    /// The largest number of descriptors of the process; nil if the system does not tell.
    package static var descriptorCountMax: UInt64? {
        limit(of: RLIMIT_NOFILE).map { UInt64($0.rlim_cur) }
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

    /// Opens `/dev/null` for those of the standard descriptors 0 to 2 that are closed.
    ///
    /// Else the next file that the process opens gets such a number, and errors or a progress bar are written into it.
    package static func openStandardDescriptors() {
        let null: FilePath = "/dev/null"
        for number in FileDescriptor.standardInput.rawValue...FileDescriptor.standardError.rawValue
        where fcntl(number, F_GETFD) < 0 {
            // The system gives out the least free number, which is this one.
            _ = try? FileDescriptor.open(null, .readWrite)
        }
    }

    #if canImport(Darwin)
        typealias Resource = CInt
        private static func number(of resource: Resource) -> CInt { resource }
    #else
        typealias Resource = __rlimit_resource
        private static func number(of resource: Resource) -> __rlimit_resource_t {
            __rlimit_resource_t(resource.rawValue)
        }
    #endif

    /// Returns a limit of the process, and the number up to which it may raise that; nil if the system does not tell.
    static func limits(of resource: Resource) -> (soft: UInt64, hard: UInt64)? {
        limit(of: resource).map { (UInt64($0.rlim_cur), UInt64($0.rlim_max)) }
    }

    private static func limit(of resource: Resource) -> rlimit? {
        var limit = rlimit()
        // SAFETY: the call fills `limit`.
        guard unsafe getrlimit(number(of: resource), &limit) == 0 else { return nil }
        return limit
    }
}
