internal import CDAGSystem
package import SystemPackage

/// Limits of the process and its system, and facts about them.
///
/// *Concurrency*: any thread.
package enum SystemLimits {
    /// The largest size of the process's address space in bytes; `UInt64.max` for no limit.
    ///
    /// The corresponding C function is `getrlimit`.
    package static var addressSpace: UInt64 { ThisProcess.limits(of: RLIMIT_AS)?.soft ?? .max }

    /// The number of descriptors that the process may have, and the number up to which it may raise that.
    ///
    /// The corresponding C function is `getrlimit`.
    package static var descriptors: (soft: UInt64, hard: UInt64) {
        ThisProcess.limits(of: RLIMIT_NOFILE) ?? (.max, .max)
    }

    /// Returns whether the process's address space has room for `size` bytes more.
    ///
    /// The corresponding C function is `mmap`; the call gives the room back.
    package static func canReserve(_ size: Int) -> Bool { dagstore_can_reserve(size) }

    /// The largest number of mappings of a process; nil if the system does not tell.
    package static var mappings: UInt64? { number(in: "/proc/sys/vm/max_map_count") }

    /// The largest number of directories that a user's processes may watch; nil if the system does not tell.
    package static var watches: UInt64? { number(in: "/proc/sys/fs/inotify/max_user_watches") }

    /// The largest number of objects that watch directories; nil if the system does not tell.
    package static var watchQueues: UInt64? {
        number(in: "/proc/sys/fs/inotify/max_user_instances")
    }

    /// Returns the names of instructions that the first processor has; empty if the system does not tell.
    package static var processorFlags: Set<Substring> {
        let text = text(of: "/proc/cpuinfo") ?? ""
        let line = text.split(separator: "\n").first {
            $0.hasPrefix("flags") || $0.hasPrefix("Features")
        }
        return Set((line ?? "").split(whereSeparator: { " \t:".contains($0) }))
    }

    private static func number(in file: FilePath) -> UInt64? {
        text(of: file)?.split(separator: "\n").first.flatMap { UInt64($0) }
    }

    private static func text(of path: FilePath) -> String? {
        guard let file = try? FileDescriptor.opening(path) else { return nil }
        defer { try? file.close() }
        guard let bytes = try? file.readToEnd(atMost: 4 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The kind of a file system.
package struct FileSystemKind: Equatable, Sendable {
    /// Where its files lie.
    package enum Place: Sendable {
        /// A disk of this machine.
        case disk
        /// The memory: a restart of the machine loses the files.
        case memory
        /// A layer of a container: the end of the container loses the files.
        case container
        /// A program, which may use a network.
        case program
        /// Another machine.
        case network
        /// The system does not say.
        case unknown
    }

    /// Its name, or its number in hexadecimal.
    package let name: String
    /// Where its files lie.
    package let place: Place

    /// Names a file system.
    package init(name: String, place: Place) {
        self.name = name
        self.place = place
    }

    /// The numbers of file systems.
    ///
    /// Source: statfs(2), and `linux/magic.h`.
    private static let known: [UInt32: (String, Place)] = [
        0xef53: ("ext4", .disk), 0x5846_5342: ("xfs", .disk), 0x9123_683e: ("btrfs", .disk),
        0x2fc1_2fc1: ("zfs", .disk), 0xf2f5_2010: ("f2fs", .disk),
        0xca45_1a4e: ("bcachefs", .disk), 0x5265_4973: ("reiserfs", .disk),
        0x3153_464a: ("jfs", .disk), 0x4d44: ("vfat", .disk), 0x2011_bab0: ("exfat", .disk),
        0x0102_1994: ("tmpfs", .memory), 0x8584_58f6: ("ramfs", .memory),
        0x794c_7630: ("overlayfs", .container), 0x6573_5546: ("fuse", .program),
        0x6969: ("nfs", .network), 0x517b: ("smb", .network), 0xff53_4d42: ("cifs", .network),
        0xfe53_4d42: ("smb2", .network), 0x0102_1997: ("9p", .network),
        0x00c3_6400: ("ceph", .network), 0x0bd0_0bd0: ("lustre", .network),
        0x4750_4653: ("gpfs", .network), 0x5346_414f: ("afs", .network),
        0x7461_636f: ("ocfs2", .network), 0x0116_1970: ("gfs2", .network),
        0x564c: ("ncp", .network), 0x7375_7245: ("coda", .network),
    ]

    /// Finds the file system of an open file; nil if the system does not tell.
    ///
    /// The corresponding C function is `fstatfs`.
    package init?(of file: FileDescriptor) {
        var number: UInt32 = 0
        // SAFETY: the call fills `number`.
        guard unsafe dagstore_file_system(file.rawValue, &number) else { return nil }
        let digits = String(number, radix: 16)
        let found = Self.known[number] ?? ("0x\(digits)", .unknown)
        name = found.0
        place = found.1
    }
}
