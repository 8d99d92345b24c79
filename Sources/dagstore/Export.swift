internal import AdminMessages
internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR
internal import DAGIPLD
internal import DAGMounts
internal import DAGStorage
internal import Synchronization
internal import SystemPackage

/// `export`: writes the CAR of a DAG.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a DAG as a CAR, from all shards; every block is hashed.",
        discussion: """
            The blocks are those of the path, then depth first those of the scope. A block that is missing, or whose \
            bytes are wrong in every shard, ends the export.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The root's CID in any base, and a path below it: CID/a/b, /ipfs/CID/a/b.",
            valueName: "cid[/path]"
        )
    )
    var root: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The CAR to write; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output = OutputFile.standardOutput

    @Option(
        help: ArgumentHelp(
            "At the path's end: the block; the file, or the directory without its content; or all.",
            valueName: "block|entity|all"
        )
    )
    var scope = Scope.all

    @Option(
        help: ArgumentHelp(
            "The bytes of a file to export, both inclusive; negative from the end, * is the end.",
            valueName: "from:to"
        ),
        transform: Self.range
    )
    var bytes: EntityBytes?

    @Flag(help: "Write a block as often as the DAG has it.")
    var dups = false

    @Option(
        help: ArgumentHelp("The CAR's version; 2 has an index and needs a file.", valueName: "1|2")
    )
    var version: UInt64 = 1

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    /// A scope, as an argument.
    enum Scope: String, ExpressibleByArgument, CaseIterable {
        case block, entity, all

        var value: DAGScope {
            switch self {
            case .block: .block
            case .entity: .entity
            case .all: .all
            }
        }
    }

    private static func range(_ text: String) throws -> EntityBytes {
        guard let range = EntityBytes(text) else {
            throw ValidationError(
                "--bytes takes FROM:TO, such as 0:1023, -1024:* or 512:-256, and not \(text)"
            )
        }
        return range
    }

    /// A CAR on disk is bounded by the disk, so more blocks are remembered than for a stranger's request.
    private static let distinctBlocksMax = 1 << 27

    func validate() throws {
        guard version == 1 || version == 2 else {
            throw ValidationError("--version takes 1 or 2")
        }
        guard bytes == nil || scope != .block else {
            throw ValidationError(
                "--bytes asks for a part of a file, and --scope for its root block"
            )
        }
        let file = OutputFile(output)
        guard version == 1 || file.isRegular else {
            throw ValidationError("a CAR of version 2 cannot be written to a pipe: give --output")
        }
        guard output != OutputFile.standardOutput || !Console.isTerminal(.output) else {
            throw ValidationError("a CAR is no text for a terminal: give --output, or a pipe")
        }
    }

    func run() throws {
        let (cid, path) = try BlockArguments.readCIDAndPath(root)
        var request = DAGRequest(
            root: cid,
            path: path,
            scope: scope.value,
            entityBytes: bytes,
            sendsDuplicates: dups
        )
        request.limits.distinctBlocksMax = Self.distinctBlocksMax
        try OutputFile(output).rejectFiles(of: store)
        let printed = PrintedBytes()
        let summary: CARExporter.Summary
        do {
            summary = try export(request, store.openForReading(), printed)
        } catch let error as DAGStoreError where error.code == .readOnly {
            // A shard that must be fetched first, which only a store that is open for writing can do. The bytes are
            // the same again, so those that were printed are left out.
            do {
                let store = try store.openForWriting(isNewAllowed: false)
                printed.begin()
                summary = try export(request, store, printed)
            } catch var held as HeldByNode {
                held.printedSize = printed.count
                throw held
            }
        }
        guard output != OutputFile.standardOutput else { return }
        try Output.run(format.format) { output in
            switch format.format {
            case .text:
                try output.fields([
                    ("file", self.output.printable), ("blocks", summary.blocks.grouped),
                    ("size", summary.bytes.asSize),
                ])
            case .json:
                try output.object { json in
                    json.member("blocks", summary.blocks)
                    json.member("bytes", summary.bytes)
                }
            }
        }
    }

    private func export(
        _ request: DAGRequest,
        _ store: DAGStore,
        _ printed: PrintedBytes
    ) throws -> CARExporter.Summary {
        // A process can have a store open only once.
        defer { StoreOptions.closeWaiting(store) }
        let codec = version == 2 ? CARIndex.multihashSorted : nil
        let exporter = CARExporter(store, request, version: version, indexCodec: codec)
        guard output != OutputFile.standardOutput else {
            return try Waiting.wait {
                try await exporter.run { bytes in
                    try Task.checkCancellation()
                    try printed.write(bytes)
                }.summary
            }
        }
        return try OutputFile(output).write { file in
            let (summary, header) = try Waiting.wait {
                try await exporter.run { bytes in
                    try Task.checkCancellation()
                    try Kernel.writeAll(bytes, to: file)
                }
            }
            guard !header.isEmpty else { return summary }
            try file.seek(offset: Int64(CARWriter.Ending.headerOffset), from: .start)
            try header.withView { try Kernel.writeAll($0, to: file) }
            return summary
        }
    }
}

/// Writes to standard output, and leaves out what an earlier attempt has written.
///
/// *Concurrency*: one thread at a time.
private final class PrintedBytes: Sendable {
    private let state = Mutex((count: UInt64(0), position: UInt64(0)))
    /// The client whose output it is; other tasks, which write, do not know it.
    private let client = Console.client

    /// The number of bytes that were written.
    var count: UInt64 { state.withLock { $0.count } }

    /// Begins at the first byte again.
    func begin() { state.withLock { $0.position = 0 } }

    /// Writes the bytes that were not written before.
    func write(_ bytes: ByteView) throws {
        let known = state.withLock { state in
            let known = Int(
                min(state.count - min(state.count, state.position), UInt64(bytes.count))
            )
            state.position += UInt64(bytes.count)
            return known
        }
        guard known < bytes.count else { return }
        try Console.$client.withValue(client) { try Output.write(bytes[known..<bytes.count]) }
        state.withLock { $0.count = max($0.count, $0.position) }
    }
}
