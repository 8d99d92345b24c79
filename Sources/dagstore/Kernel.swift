internal import DAGBytes
internal import DAGSystem
internal import SystemPackage

/// Calls of the system that only the program makes; all unsafe code of the program is here.
enum Kernel {
    /// Returns an environment variable; `nil` also if it is empty.
    static func variable(_ name: String) -> String? {
        ThisProcess.environmentVariable(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The first argument that is not UTF-8, with replacements for what is none; `nil` if all are.
    static var malformedArgument: String? {
        for index in 0..<Int(CommandLine.argc) {
            // SAFETY: the system's array has `argc` strings, and nothing changes them.
            guard let bytes = unsafe CommandLine.unsafeArgv[index],
                unsafe String(validatingCString: bytes) == nil
            else { continue }
            return unsafe String(cString: bytes)
        }
        return nil
    }

    /// The number of this process.
    static var processNumber: Int32 { ThisProcess.number }

    /// The working directory, if it still has a name.
    static var workingDirectory: FilePath? { try? FileSystem.workingDirectory() }

    /// Blocks the thread for a while.
    static func pause(milliseconds: UInt32) { _ = usleep(milliseconds * 1000) }

    /// Lets other processes go before this thread when all processors are busy.
    static func lowerPriority() {
        _ = nice(19)
        #if os(Linux)
            // A thread of this policy, `SCHED_BATCH`, interrupts no other thread when it wakes up.
            let batch: CInt = 3
            var parameter = sched_param()
            // SAFETY: the call reads `parameter`. The system may refuse; the copy is only less polite then.
            _ = unsafe sched_setscheduler(0, batch, &parameter)
        #endif
    }

    // MARK: Files

    /// Whether a process holds the lock on a file.
    static func isLocked(_ path: FilePath) -> Bool {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else {
            return false
        }
        defer { try? file.close() }
        // A shared lock, so that several readers do not take each other for the owner; closing releases it.
        return flock(file.rawValue, LOCK_SH | LOCK_NB) != 0
    }

    /// The process that holds the lock on a file, for people; `nil` if there is none or it is unknown.
    static func lockHolder(of path: FilePath) -> String? {
        var status = stat()
        // SAFETY: the string is read during the call, which fills the structure.
        guard unsafe path.withPlatformString({ unsafe stat($0, &status) }) == 0,
            let locks = try? String(
                decoding: FileSystem.contents(of: "/proc/locks", sizeMax: 16 << 20),
                as: UTF8.self
            )
        else { return nil }
        for line in locks.split(separator: "\n") {
            // "1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF"
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK",
                words[5].split(separator: ":").last == Substring(String(status.st_ino)),
                let number = Int32(words[4]), number > 0
            else { continue }
            let name = try? String(
                decoding: FileSystem.contents(of: FilePath("/proc/\(number)/comm"), sizeMax: 4096),
                as: UTF8.self
            )
            let suffix = name.map { " (\($0.split(separator: "\n").joined()))" } ?? ""
            return "process \(number)\(suffix)"
        }
        return nil
    }

    /// Writes all of `bytes`, also to a non-blocking pipe.
    static func writeAll(_ bytes: ByteView, to descriptor: FileDescriptor) throws(Errno) {
        var done = 0
        while done < bytes.count {
            do {
                // SAFETY: the view's maker keeps the bytes alive during the call.
                done += try unsafe descriptor.writeSome(bytes[done..<bytes.count].buffer)
            } catch .interrupted {
                continue
            } catch .wouldBlock {
                waitForRoom(in: descriptor)
            }
        }
    }

    private static func waitForRoom(in descriptor: FileDescriptor) {
        var wait = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        // SAFETY: one structure, as the count says.
        _ = unsafe poll(&wait, 1, -1)
    }

    /// Removes a file, if it is there.
    static func remove(_ path: FilePath) {
        // SAFETY: the string is read during the call.
        _ = unsafe path.withPlatformString { unsafe unlink($0) }
    }

    /// Returns a path without links; components that do not exist yet stay as they are.
    static func resolved(_ path: FilePath) -> FilePath {
        let path = (workingDirectory ?? "/").pushing(path)
        var there = path
        var rest: [FilePath.Component] = []
        while let last = there.lastComponent {
            // SAFETY: the string is read during the call; the system allocates the result, which `defer` frees.
            if let found = unsafe there.withPlatformString({ unsafe realpath($0, nil) }) {
                defer { unsafe free(found) }
                there = unsafe FilePath(platformString: found)
                break
            }
            rest.append(last)
            there.removeLastComponent()
        }
        there.components.append(contentsOf: rest.reversed())
        return there.lexicallyNormalized()
    }

    /// Whether a regular file, or nothing, is at `path`; a symbolic link is neither.
    static func isRegularOrMissing(_ path: FilePath) -> Bool {
        guard let status = try? Stat(path, followTargetSymlink: false) else { return true }
        return status.type == .regular
    }

    /// Whether a pipe, a socket or a character device is at `path`.
    static func isPipe(_ path: FilePath) -> Bool {
        guard let kind = (try? Stat(path))?.type else { return false }
        return [.fifo, .characterSpecial, .socket].contains(kind)
    }

    /// Whether the file at `path` takes bytes at any offset.
    static func isSeekable(_ path: FilePath) -> Bool {
        let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking]
        guard let file = try? FileDescriptor.open(path, .writeOnly, options: options) else {
            return false
        }
        defer { try? file.close() }
        return (try? file.seek(offset: 0, from: .start)) != nil
    }

    // MARK: Terminals

    /// Whether a descriptor is a terminal.
    static func isTerminal(_ descriptor: FileDescriptor) -> Bool {
        isatty(descriptor.rawValue) == 1
    }

    /// The width of a terminal in columns.
    static func width(of descriptor: FileDescriptor) -> Int? {
        var size = winsize()
        // SAFETY: the request fills the structure it is given.
        let code = unsafe ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size)
        return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    }

    // MARK: Signals

    /// Ignores a signal.
    ///
    /// - Returns: Whether the process did not ignore it before, as its parent may ask for.
    static func ignore(_ number: Int32) -> Bool {
        // SAFETY: function pointers are compared, not called.
        let handler = unsafe unsafeBitCast(signal(number, SIG_IGN), to: Int.self)
        return unsafe handler != unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Makes a write to a closed pipe fail instead of ending the process.
    static func ignoreClosedPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
