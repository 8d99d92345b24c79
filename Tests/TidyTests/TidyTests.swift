import Foundation
import TestSupport
import Testing

/// Rules about the source itself.
@Suite("Tidy")
struct TidyTests {
    /// The floor of every target; a target imports from floors below its own.
    static let floors = [
        "DAGSystem": -2, "DAGBytes": -1, "SharedReads": -1,
        "DAGMultiformats": 0, "DAGLMDB": 0, "DAGZstd": 0, "DAGHashing": 0, "DAGFailpoints": 0,
        "PostgreSQL": 0,
        "ShardLifecycle": 0,
        "DAGCAR": 1, "ShardIndex": 1, "DAGIPLD": 1,
        "DAGCatalog": 2, "DAGMounts": 2, "GatewayRequests": 2,
        "ObjectStorage": 2,
        "DAGCARFiles": 3,
        "DAGStorage": 4, "UnixFSFiles": 4,
        "AdminMessages": 5, "DAGGateway": 5, "DAGMeasurement": 6, "DAGMigration": 5,
        "DAGCluster": 5, "RemoteMounts": 5,
        "DAGAdmin": 6,
        "DAGNode": 7,
        "dagstore": 8, "dagstore-manual": 8, "DAGStoreC": 8,
    ]

    /// The floor from which on Foundation may be imported.
    static let foundationFloor = 5
    /// Doors that do not import Foundation although they may.
    static let withoutFoundation: Set = ["dagstore"]

    /// The targets that may say `unsafe` anywhere.
    static let unsafeTargets: Set = [
        "DAGBytes", "SharedReads", "DAGHashing", "DAGLMDB", "DAGZstd", "DAGCAR", "ShardIndex",
        "DAGMounts",
        "DAGStoreC",
        "DAGFailpoints", "DAGSystem", "PostgreSQL",
    ]
    /// The files elsewhere that may: they call the system, or copy into a caller's buffer.
    static let unsafeFiles: Set = [
        "DAGStorage/Walking/Block+Copy.swift",
        "dagstore/Kernel.swift",
        "DAGMigration/LevelDB/LevelDB.swift", "DAGGateway/Streams/ChunkCopy.swift",
        "DAGGateway/Connections/LoopExecutor.swift",
    ]

    /// The one file that starts tasks: for an owner, which cancels the task and may wait for it.
    static let taskFile = "DAGMounts/Threads/OwnedTask.swift"

    static let lineCountMax = 800
    /// The lines from which on a file says why it is long, among its first lines.
    static let lineCountUsual = 400
    static let longReason = "// Long because "
    static let longReasonLineMax = 12

    static let columnsMax = 120
    /// The columns without the words of strings and without comments: the formatter breaks neither.
    static let codeColumnsMax = 100

    static let functionLineCountMax = 70
    /// How many lines above `@unchecked Sendable`, or below it, the reason may stand.
    static let noteDistance = 6

    static let topLevel: Set = [
        "Package.swift", "Sources", "CModules", "Tests", "Benchmarks", "README.md", "Makefile",
        "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", ".gitignore", ".swift-format", ".ci",
    ]

    @Test("every target has a floor")
    func floorsAreKnown() throws {
        for target in try SourceFile.targets() {
            #expect(Self.floors[target] != nil, "\(target) has no floor")
        }
    }

    @Test("a module imports only lower floors", arguments: try SourceFile.sources())
    func importsPointDown(file: SourceFile) {
        guard let floor = Self.floors[file.target] else { return }
        for module in file.imports {
            guard let below = Self.floors[module] else { continue }
            #expect(below < floor, "\(file.path) imports \(module)")
        }
    }

    @Test("Foundation is for the upper floors", arguments: try SourceFile.sources())
    func foundation(file: SourceFile) {
        let floor = Self.floors[file.target] ?? 0
        guard floor < Self.foundationFloor || Self.withoutFoundation.contains(file.target) else {
            return
        }
        let imports = file.imports.filter { $0.hasPrefix("Foundation") }
        #expect(imports == [], "\(file.path)")
    }

    @Test("unsafe stays in its rooms", arguments: try SourceFile.sources())
    func unsafeRooms(file: SourceFile) {
        guard file.code.contains(where: { $0.hasWord("unsafe") }) else { return }
        #expect(
            Self.unsafeTargets.contains(file.target) || Self.unsafeFiles.contains(file.path),
            "\(file.path) may not say unsafe"
        )
    }

    @Test("each group of unsafe lines says why it is safe", arguments: try SourceFile.sources())
    func unsafeNotes(file: SourceFile) {
        let bare = file.unsafeGroups.filter { !$0.hasNote }
        #expect(bare.map { $0.lines } == [], "\(file.path)")
    }

    @Test("an unchecked conformance has its reason beside it", arguments: try SourceFile.all())
    func uncheckedConformances(file: SourceFile) {
        for (number, line) in file.code.enumerated() where line.contains("@unchecked Sendable") {
            let first = max(0, number - Self.noteDistance)
            let last = min(file.lines.count - 1, number + Self.noteDistance)
            let hasReason = file.lines[first...last].contains { $0.contains("SAFETY") }
            #expect(hasReason, "\(file.path):\(number + 1)")
        }
    }

    @Test("a task has an owner", arguments: try SourceFile.sources())
    func bareTasks(file: SourceFile) {
        guard file.path != Self.taskFile else { return }
        for (number, line) in file.code.enumerated() {
            let isBare =
                line.hasWord("Task")
                && ["Task {", "Task{", "Task.detached", "Task("].contains { line.contains($0) }
            #expect(!isBare, "\(file.path):\(number + 1)")
        }
    }

    /// The targets in which threads seldom contend for a lock.
    ///
    /// `Synchronization.Mutex` hands each contended lock over through the kernel; elsewhere it is `Lock`.
    static let mutexTargets: Set = ["DAGFailpoints", "DAGMigration", "dagstore"]

    @Test("locks survive contention", arguments: try SourceFile.sources())
    func mutexes(file: SourceFile) {
        guard !Self.mutexTargets.contains(file.target) else { return }
        for (number, line) in file.code.enumerated() {
            #expect(!line.hasWord("Mutex"), "\(file.path):\(number + 1)")
        }
    }

    @Test("files are short, or say why they are long", arguments: try SourceFile.all())
    func fileLength(file: SourceFile) {
        #expect(file.lines.count <= Self.lineCountMax, "\(file.path)")
        guard file.lines.count > Self.lineCountUsual + 1 else { return }
        let hasReason = file.lines.prefix(Self.longReasonLineMax).contains {
            $0.hasPrefix(Self.longReason)
        }
        #expect(hasReason, "\(file.path) has \(file.lines.count - 1) lines")
    }

    @Test("lines are short", arguments: try SourceFile.all())
    func columns(file: SourceFile) {
        for (index, line) in file.lines.enumerated() {
            let place = "\(file.path):\(index + 1)"
            #expect(line.count <= Self.columnsMax, "\(place)")
            #expect(file.codeWidth(ofLine: index + 1) <= Self.codeColumnsMax, "\(place)")
        }
    }

    @Test("functions are short", arguments: try SourceFile.sources())
    func functionLength(file: SourceFile) {
        for function in file.functions {
            #expect(
                function.lineCount <= Self.functionLineCountMax,
                "\(file.path):\(function.line) has \(function.lineCount) lines"
            )
        }
    }

    @Test("code holds no notes of work to do", arguments: try SourceFile.all())
    func notes(file: SourceFile) {
        // In two parts, so that the rule does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for (number, line) in file.lines.enumerated() {
            let found = words.filter { line.hasWord($0) }
            #expect(found == [], "\(file.path):\(number + 1)")
        }
    }

    /// The one file that evaluates a condition again and again, with pauses.
    static let pollingFile = "TestSupport/Eventually.swift"

    @Test("tests do not sleep", arguments: try SourceFile.tests())
    func sleeping(file: SourceFile) {
        guard file.path != Self.pollingFile else { return }
        for (number, line) in file.code.enumerated() {
            let calls = ["sleep", "usleep", "nanosleep"].filter { line.hasWord($0) }
            #expect(calls == [], "\(file.path):\(number + 1)")
        }
    }

    @Test("the top level holds only what every repository needs")
    func topLevelFiles() throws {
        let names = try SourceFile.topLevel()
        #expect(names.isSubset(of: Self.topLevel), "\(names.subtracting(Self.topLevel).sorted())")
    }
}

/// Applies the rules to samples: a rule that finds nothing in the sources must find something here.
@Suite("Tidy rules")
struct TidyRuleTests {
    static let sample = SourceFile(
        path: "DAGCAR/Sample.swift",
        text: """
            public import DAGBytes
            @testable import struct DAGStorage.Shard
            // import Foundation
            struct Sample {
                let text = "unsafe { Task { sleep() } }"
                /* unsafe */
                func one() -> [Int] {
                    unsafe Task {
                        let brace = "{"
                    }
                }

                init?(two: Int)
                where Self: Sendable
                {
                    let raw = #"a " { "#
                }
                protocol Empty { func three() -> Int }
                subscript(index: Int) -> Int { index }
            }
            """
    )

    @Test("imports are found whatever stands before and after them")
    func imports() {
        #expect(Self.sample.imports == ["DAGBytes", "DAGStorage"])
    }

    @Test("strings and comments are not code")
    func code() {
        let hits = Self.sample.code.filter { $0.hasWord("unsafe") }
        #expect(hits.map { $0.trimmingCharacters(in: .whitespaces) } == ["unsafe Task {"])
        #expect(!Self.sample.code.contains { $0.contains("sleep") })
    }

    @Test("functions are counted from their first line to their last")
    func functions() {
        let found = Self.sample.functions.map { [$0.line, $0.lineCount] }
        #expect(found == [[7, 5], [13, 5], [19, 1]])
    }

    static let unsafeSample = SourceFile(
        path: "DAGLMDB/Sample.swift",
        text: """
            struct Sample {
                // SAFETY: The owner keeps it.
                private let start: unsafe Pointer

                var first: Int {
                    // SAFETY: There is one.
                    unsafe start.pointee
                }
                func second() -> Int {
                    unsafe start[1]
                }

                /// Reads two of them.
                // SAFETY: There are four.
                @inline(__always)
                func third() -> Int {
                    let found = unsafe start[2]
                    return unsafe found + start[3]
                }

                func fourth() -> Int {
                    // SAFETY: There are five.
                    let found = unsafe start[4]
            \(String(repeating: "        print(\"unsafe\")\n", count: 9))
                    return unsafe found + start[5]
                }
            }
            """
    )

    @Test("a note counts for the lines near it, in the same declaration")
    func unsafeGroups() {
        let found = Self.unsafeSample.unsafeGroups
        #expect(found.map { $0.lines } == [3...3, 7...7, 10...10, 17...18, 23...23, 34...34])
        #expect(found.map { $0.hasNote } == [true, true, false, true, true, false])
    }

    @Test("a line is as wide as its code without strings and comments")
    func columns() {
        let file = SourceFile(
            path: "DAGCAR/Sample.swift",
            text: #"""
                let text = "ä long \(text)", more  // And a comment.
                    // Only a comment.
                """#
        )
        #expect(file.codeWidth(ofLine: 1) == "let text =   , more".count)
        #expect(file.codeWidth(ofLine: 2) == 0)
    }

    @Test("a word is not a part of another")
    func words() {
        #expect("unsafe let".hasWord("unsafe"))
        #expect("(unsafe)".hasWord("unsafe"))
        #expect(!"unsafeBitCast".hasWord("unsafe"))
        #expect(!"_unsafe unsafe1".hasWord("unsafe"))
    }
}
