internal import AdminMessages
internal import ArgumentParser
internal import DAGCARFiles
internal import DAGIPLD
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage
internal import UnixFSFiles

/// `car extract`: extracts files and folders from a CAR.
struct ExtractCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Extract the files and folders of a CAR file.",
        discussion: """
            Every block is verified before it is written. Entries of the folder that are there already are never \
            replaced: an entry whose name is taken ends the extraction, and so does a name that leads out of the \
            folder. Symbolic links are made as they are, and never followed. After an error, complete files stay.
            """
    )

    @OptionGroup var car: CARArgument

    @Argument(
        help: ArgumentHelp(
            "What to extract. Default: the root that the CAR names.",
            valueName: "cid[/path]"
        )
    )
    var content: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The folder to extract into; it is made if missing.", valueName: "dir"),
        completion: .directory
    )
    var output: String

    @Option(
        help: ArgumentHelp(
            "How many times larger than the CAR the files may be, beyond 1GiB.",
            valueName: "number"
        )
    )
    var maxExpansion = ExtractionLimits().expansionMax

    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output is empty") }
    }

    func run() throws {
        let (root, path) = try content.map(Self.read) ?? (nil, .empty)
        try car.open { file in
            let size = file.layout.dataSize
            let bar = ProgressBar(progress.progress, car.name)
            defer { bar.finish() }
            var limits = ExtractionLimits()
            limits.expansionMax = maxExpansion
            let extractor = CARExtractor(
                file,
                limits: limits,
                progress: { bar.update(min($0, size), of: size) },
                setIncomplete: Interruption.setTemporaryFile
            )
            do {
                try UnixFSFailure.translating {
                    try extractor.extract(root, path, to: FilePath(output))
                }
            } catch let error as OutputError {
                guard case .failed(let message) = error else { throw error }
                throw OutputError.failed(message + Self.remark(extractor.extracted))
            } catch {
                let error = DAGStoreError(any: error)
                var complete = DAGStoreError(
                    error.code,
                    error.message + Self.remark(extractor.extracted),
                    offset: error.offset
                )
                complete.advice = error.advice
                throw complete
            }
            bar.finish()
            try report(extractor.extracted)
        }
    }

    /// Reads the CID and the path below it.
    private static func read(_ text: String) throws -> (CID?, IPLDPath) {
        var name = text[...]
        for scheme in ["/ipfs/", "ipfs://"] where name.hasPrefix(scheme) {
            name = name.dropFirst(scheme.count)
        }
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = IPLDPath(parts.count > 1 ? String(parts[1]) : "") else {
            throw DAGStoreError(
                .invalidArgument,
                "\(text): has a path with '.', '..' or a NUL",
                advice: "name the path from the root on"
            )
        }
        return (try BlockArguments.readCID(String(parts.first ?? "")), path)
    }

    /// What is there after an error.
    private static func remark(_ extracted: ExtractedFiles) -> String {
        let count = extracted.files + extracted.folders + extracted.links
        guard count > 0 else { return "; nothing was extracted" }
        let files = extracted.files.counted("complete file", "complete files")
        let folders = extracted.folders.counted("folder", "folders")
        return "; \(files), \(folders) and \(extracted.links.counted("link", "links")) stay"
    }

    private func report(_ extracted: ExtractedFiles) throws {
        let root = extracted.root?.description ?? ""
        try Output.run(format.format) { output in
            switch format.format {
            case .json:
                try output.object { json in
                    json.member("root", root)
                    json.member("blocks", extracted.blocks)
                    json.member("bytes", extracted.bytes)
                    json.member("files", extracted.files)
                    json.member("folders", extracted.folders)
                    json.member("links", extracted.links)
                }
            case .text:
                try output.fields([
                    ("folder", self.output.printable),
                    ("root", root),
                    ("files", "\(extracted.files.grouped)  (\(extracted.bytes.asSize))"),
                    ("folders", extracted.folders.grouped),
                    ("links", extracted.links.grouped),
                    ("blocks", extracted.blocks.grouped),
                ])
            }
        }
    }
}
