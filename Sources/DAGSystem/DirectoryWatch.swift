package import SystemPackage

/// Reports changes of the names in directories.
///
/// The corresponding C functions are those of `inotify`, which only Linux has.
///
/// *Concurrency*: any thread may call anything; one thread at a time waits.
package final class DirectoryWatch: Sendable {
    /// Names a watched directory.
    package struct Number: Hashable, Sendable {
        /// The system's number.
        package let value: CInt

        /// Names the directory that the system gave this number.
        package init(_ value: CInt) { self.value = value }
    }

    /// A change in a watched directory.
    package struct Change: Equatable, Sendable {
        /// The kinds of changes.
        package enum Kind: Sendable {
            /// A name appeared: a new file, a new directory or a further link.
            case created
            /// A process closed a file that it had opened for writing.
            case closed
            /// A name moved here from elsewhere.
            case movedIn
            /// A name moved from here to elsewhere.
            case movedOut
            /// A name was removed.
            case removed
            /// Rights, owner or times changed.
            case attributes
            /// The watched directory itself was moved.
            case movedAway
            /// The system no longer watches the directory.
            case ended
            /// The system lost changes, because the reader was too slow.
            case lost
        }

        /// The kind.
        package var kind: Kind
        /// The directory; of no use if changes were lost.
        package var directory: Number
        /// The name in the directory; nil if the change is about the directory itself.
        package var name: FilePath?
        /// Whether the name is a directory's.
        package var isDirectory: Bool

        /// A change.
        package init(
            _ kind: Kind,
            in directory: Number,
            name: FilePath? = nil,
            isDirectory: Bool = false
        ) {
            self.kind = kind
            self.directory = directory
            self.name = name
            self.isDirectory = isDirectory
        }
    }

    #if os(Linux)
        private let queue: FileDescriptor
        private let bell: (readEnd: FileDescriptor, writeEnd: FileDescriptor)

        /// Watches no directory yet.
        ///
        /// - Throws: `.tooManyOpenFiles` if this user has no watch or this process no descriptor left; all other
        ///   errors of the system.
        package init() throws(Errno) {
            let file = inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK))
            try check(file)
            queue = FileDescriptor(rawValue: file)
            do {
                bell = try Self.makeBell()
            } catch {
                try? queue.close()
                throw error
            }
        }

        deinit {
            for file in [queue, bell.readEnd, bell.writeEnd] { try? file.close() }
        }

        private static func makeBell() throws(Errno) -> (FileDescriptor, FileDescriptor) {
            var ends: [CInt] = [-1, -1]
            // SAFETY: the call fills the two elements.
            try check(unsafe pipe(&ends))
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
        }

        private static let mask: UInt32 =
            UInt32(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM)
            | UInt32(IN_DELETE | IN_ATTRIB | IN_MOVE_SELF | IN_EXCL_UNLINK)
            | UInt32(IN_ONLYDIR | IN_DONT_FOLLOW)

        /// Watches a directory, but not those below it.
        ///
        /// - Returns: Its number; the same one if it is watched already.
        /// - Throws: `.noSpace` if this user has no watch left; `.notDirectory`, also for a symbolic link; all other
        ///   errors of the system.
        package func add(_ directory: FilePath) throws(Errno) -> Number {
            // SAFETY: the string lives through the call.
            let number = unsafe directory.withPlatformString {
                unsafe inotify_add_watch(queue.rawValue, $0, Self.mask)
            }
            try check(number)
            return Number(number)
        }

        /// Stops to watch a directory; changes that wait are still reported.
        package func remove(_ number: Number) {
            _ = inotify_rm_watch(queue.rawValue, number.value)
        }

        /// Waits for changes.
        ///
        /// - Parameter limit: How long to wait; nil without an end.
        /// - Returns: The changes in their order; empty after `limit`, or after a call of `wake`.
        /// - Throws: The error of the system.
        package func wait(for limit: Duration?) throws(Errno) -> [Change] {
            var files = [queue, bell.readEnd].map {
                pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0)
            }
            // SAFETY: the count is that of the array, which lives through the call.
            let ready = unsafe poll(&files, nfds_t(files.count), limit?.pollMilliseconds ?? -1)
            guard ready >= 0 else {
                guard Errno.last != .interrupted else { return [] }
                throw Errno.last
            }
            if files[1].revents != 0 { try drainBell() }
            return files[0].revents != 0 ? try changes() : []
        }

        /// Ends a wait, the running one or the next one.
        package func wake() {
            // A full pipe wakes the thread too.
            _ = try? bell.writeEnd.writeAll([1])
        }

        private func drainBell() throws(Errno) {
            let size = 512
            var bytes = [UInt8](repeating: 0, count: size)
            // SAFETY: the call fills at most the array.
            while unsafe systemRead(bell.readEnd.rawValue, &bytes, size) == size {}
        }

        private static let bufferSize = 64 << 10

        private func changes() throws(Errno) -> [Change] {
            var changes: [Change] = []
            // SAFETY: the buffer has the alignment of an event. The system writes whole events, and `count` bytes.
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: Self.bufferSize,
                alignment: MemoryLayout<inotify_event>.alignment
            )
            defer { unsafe buffer.deallocate() }
            let count = unsafe systemRead(queue.rawValue, buffer.baseAddress, buffer.count)
            guard count >= 0 else {
                let error = Errno.last
                if error == .wouldBlock || error == .interrupted { return [] }
                throw error
            }
            let headSize = MemoryLayout<inotify_event>.size
            var offset = 0
            while offset + headSize <= count {
                let event = unsafe buffer.loadUnaligned(
                    fromByteOffset: offset,
                    as: inotify_event.self
                )
                let end = offset + headSize + Int(event.len)
                guard end <= count else { break }
                // SAFETY: a name lies between the head and `end`; the system ends it with a zero.
                let name =
                    event.len == 0
                    ? nil
                    : unsafe FilePath(
                        platformString: buffer.baseAddress.unsafelyUnwrapped
                            .advanced(by: offset + headSize).assumingMemoryBound(to: CChar.self)
                    )
                if let change = Change(event.mask, Number(event.wd), name) {
                    changes.append(change)
                }
                offset = end
            }
            return changes
        }
    #else
        /// Throws: this system has no `inotify`.
        package init() throws(Errno) { throw .notSupported }

        /// Watches a directory; never called, because no object exists.
        package func add(_ directory: FilePath) throws(Errno) -> Number { throw .notSupported }

        /// Stops to watch a directory.
        package func remove(_ number: Number) {}

        /// Waits for changes.
        package func wait(for limit: Duration?) throws(Errno) -> [Change] { throw .notSupported }

        /// Ends a wait.
        package func wake() {}
    #endif
}

#if os(Linux)
    extension DirectoryWatch.Change {
        /// The change of an event; nil if another event says the same.
        fileprivate init?(_ mask: UInt32, _ directory: DirectoryWatch.Number, _ name: FilePath?) {
            let kinds: [(CInt, Kind)] = [
                (IN_Q_OVERFLOW, .lost), (IN_IGNORED, .ended), (IN_MOVE_SELF, .movedAway),
                (IN_CREATE, .created), (IN_CLOSE_WRITE, .closed), (IN_MOVED_TO, .movedIn),
                (IN_MOVED_FROM, .movedOut), (IN_DELETE, .removed), (IN_ATTRIB, .attributes),
            ]
            guard let kind = kinds.first(where: { mask & UInt32($0.0) != 0 }) else { return nil }
            self.init(
                kind.1,
                in: directory,
                name: name,
                isDirectory: mask & UInt32(IN_ISDIR) != 0
            )
        }
    }

    extension Duration {
        /// Whole milliseconds for `poll`, rounded up.
        fileprivate var pollMilliseconds: CInt {
            let (seconds, attoseconds) = components
            guard seconds < 1 << 20 else { return CInt.max }
            let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            return CInt(max(0, seconds * 1000 + rest))
        }
    }

    private func systemRead(_ file: CInt, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        // SAFETY: the caller's buffer has `count` bytes and lives through the call.
        unsafe read(file, start, count)
    }
#endif
