internal import DAGSystem
internal import SystemPackage

/// The address range where the system has mapped an open file into this process.
///
/// LMDB keeps the address of its map to itself, so the code asks the system.
@safe struct MappedRange {
    private let bytes: UnsafeRawBufferPointer

    #if os(Linux)
        private static let lineSizeMax = 8 << 10

        /// Finds the largest mapping of a file; nil if there is none, or the system does not tell.
        ///
        /// *Cost*: reads the list of all mappings of the process, some 50 us.
        ///
        /// *Source*: proc(5), `/proc/pid/maps` and `/proc/pid/fd`.
        init?(of descriptor: FileDescriptor) {
            // SAFETY: the strings live through the call.
            let name = FilePath("/proc/self/fd/\(descriptor.rawValue)")
            guard let wanted = FileSystem.linkTarget(of: name),
                let maps = unsafe fopen("/proc/self/maps", "re")
            else { return nil }
            // SAFETY: only this function uses the stream that it opened.
            defer { unsafe fclose(maps) }
            var found: Range<UInt>?
            var line = [CChar](repeating: 0, count: Self.lineSizeMax)
            // SAFETY: the call fills at most the buffer.
            while unsafe fgets(&line, Int32(line.count), maps) != nil {
                let text = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
                guard let range = Self.range(text, of: wanted) else { continue }
                if range.count > found?.count ?? 0 { found = range }
            }
            guard let found else { return nil }
            // SAFETY: the code reads nothing through the range, and passes it to `madvise` only.
            unsafe bytes = UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: found.lowerBound),
                count: Int(found.count)
            )
        }

        /// Returns the addresses in a line of `maps`, if the line is about the file at `path`.
        ///
        /// ```
        /// 7f1200000000-7f1300000000 r--s 00000000 fe:00 1234                       /srv/store/data.mdb
        /// ```
        private static func range(_ line: [UInt8], of path: [UInt8]) -> Range<UInt>? {
            guard let slash = line.firstIndex(of: UInt8(ascii: "/")),
                line[slash...].elementsEqual(path),
                let space = line.firstIndex(of: UInt8(ascii: " "))
            else { return nil }
            let bounds = line[..<space].split(separator: UInt8(ascii: "-")).compactMap {
                UInt(String(decoding: $0, as: UTF8.self), radix: 16)
            }
            guard bounds.count == 2, bounds[0] > 0, bounds[0] < bounds[1] else { return nil }
            return bounds[0]..<bounds[1]
        }

        /// Removes the pages of a shared, read-only mapping from this process's memory.
        func dropPages() {
            // SAFETY: this process never writes to the shared mapping, so the system maps a dropped page again with
            // the same bytes.
            unsafe MemoryAdvice.dropPages.apply(to: bytes)
        }
    #else
        /// Returns nil: other systems do not tell.
        init?(of descriptor: FileDescriptor) { nil }

        /// Does nothing.
        func dropPages() {}
    #endif
}
