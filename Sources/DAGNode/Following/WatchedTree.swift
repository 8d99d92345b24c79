#if Node
    internal import DAGSystem
    internal import SystemPackage

    /// The watched directories, by number and by path.
    struct WatchedTree {
        private var paths: [DirectoryWatch.Number: FilePath] = [:]
        private var numbers: [FilePath: DirectoryWatch.Number] = [:]
        /// The directories' own numbers, at the time when they were added.
        private var files: [FilePath: FileNumber] = [:]

        /// The number of directories.
        var count: Int { paths.count }

        /// Returns the path of a directory; nil if it is not watched any more.
        func path(of number: DirectoryWatch.Number) -> FilePath? { paths[number] }

        /// Returns whether a directory is watched.
        func contains(_ path: FilePath) -> Bool { numbers[path] != nil }

        /// Adds a directory; the same number or path is replaced.
        mutating func add(_ number: DirectoryWatch.Number, _ path: FilePath) {
            // A directory that was moved here has the number that it had elsewhere.
            if let old = paths[number], numbers[old] == number {
                numbers[old] = nil
                files[old] = nil
            }
            if let old = numbers[path], old != number { paths[old] = nil }
            paths[number] = path
            numbers[path] = number
            files[path] = FileNumber(at: path)
        }

        /// Returns the directories where another one is now, without those below them.
        ///
        /// *Cost*: a system call for each directory.
        func replaced() -> [FilePath] {
            let found = files.filter { path, number in
                FileNumber(at: path).map { $0 != number } ?? false
            }
            var tops: [FilePath] = []
            for path in found.keys.sorted(by: { $0.string < $1.string }) {
                if let top = tops.last, path.starts(with: top) { continue }
                tops.append(path)
            }
            return tops
        }

        /// Removes a directory.
        mutating func remove(_ number: DirectoryWatch.Number) {
            guard let path = paths.removeValue(forKey: number) else { return }
            if numbers[path] == number {
                numbers[path] = nil
                files[path] = nil
            }
        }

        /// Removes a directory and all below it.
        ///
        /// - Returns: Their numbers.
        mutating func remove(below path: FilePath) -> [DirectoryWatch.Number] {
            let found = paths.filter { $0.value.starts(with: path) }.map { $0.key }
            for number in found { remove(number) }
            return found
        }
    }
#endif
