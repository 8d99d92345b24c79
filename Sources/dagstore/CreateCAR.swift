internal import AdminMessages
internal import ArgumentParser
internal import DAGIPLD
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage
internal import UnixFSFiles

/// `car create`: makes a CAR of files and folders.
struct CreateCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a CAR file of files and folders, as UnixFS.",
        discussion: """
            The same files give the same bytes. The defaults are the profile unixfs-v1-2025 of IPFS, so other \
            programs with this profile find the same root; for those that skip hidden files, give --skip-hidden. \
            Symbolic links are kept as links. Permissions and times are not kept.
            """
    )

    @Argument(
        help: "Files and folders; several of them become the entries of one directory.",
        completion: .file()
    )
    var path: [String]

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The CAR file to write.", valueName: "file"),
        completion: .file(extensions: ["car"])
    )
    var output: String

    @Option(help: "The version of the CAR: 1, or 2 for one with an index.")
    var version: UInt64 = 1

    @OptionGroup(title: "Form of the blocks") var profile: ProfileOptions

    @Flag(help: "Make a directory around a single path, too, so that it keeps its name.")
    var wrap = false

    @Flag(help: "Leave out files and folders whose names start with a dot.")
    var skipHidden = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard version == 1 || version == 2 else {
            throw ValidationError("--version is 1 or 2")
        }
        guard !path.contains(where: \.isEmpty) else { throw ValidationError("a path is empty") }
    }

    func run() throws {
        let created = try UnixFSFailure.translating { try create() }
        try Output.run(format.format) { output in
            switch format.format {
            case .json:
                try output.object { json in
                    json.member("root", created.root.description)
                    json.member("blocks", created.blocks)
                    json.member("bytes", created.bytes)
                    json.member("files", created.files)
                }
            case .text:
                try output.fields([
                    ("file", self.output.printable),
                    ("root", created.root.description),
                    ("blocks", created.blocks.grouped),
                    ("payload", created.bytes.asSize),
                    ("files", created.files.grouped),
                ])
            }
        }
    }

    private func create() throws -> CreatedCAR {
        let paths = path.map { FilePath($0) }
        var creation = CARCreation()
        creation.profile = profile.profile
        creation.version = version
        creation.wraps = wrap
        creation.skipsHidden = skipHidden
        let bar = ProgressBar(progress.progress, output)
        defer { bar.finish() }
        let total =
            bar.isShown ? try CARCreator.contentSize(of: paths, skipsHidden: skipHidden) : 0
        let file = OutputFile(output)
        try file.rejectInputs(paths)
        return try file.writeAnywhere { descriptor in
            do {
                return try CARCreator.create(
                    of: paths,
                    to: descriptor,
                    in: file.folder,
                    creation
                ) { bar.update($0, of: total) }
            } catch let error as UnixFSFilesError where error.code == .outputFailed {
                throw OutputError.failed("\(output): \(error.message)")
            }
        }
    }
}

/// The form of the blocks that describe files and folders.
struct ProfileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The size of the pieces that a file is cut into, up to 2MiB. Default: 1MiB.",
            valueName: "size"
        )
    )
    var chunk: ByteCount?

    @Option(help: "The links in a block of a file, 2 to 16384. Default: 1024.")
    var width: Int?

    @Option(
        help: ArgumentHelp(
            "The size of a block above which a directory becomes a HAMT, up to 2MiB. Default: 256KiB.",
            valueName: "size"
        )
    )
    var hamtThreshold: ByteCount?

    @Flag(
        inversion: .prefixedNo,
        help: "Store the pieces of files as they are, or as dag-pb blocks."
    )
    var rawLeaves = true

    func validate() throws {
        let largest = UInt64(UnixFSProfile.blockSizeMax)
        guard chunk.map({ (1...largest).contains($0.value) }) ?? true else {
            throw ValidationError("--chunk takes a size from 1 byte to 2MiB")
        }
        guard width.map({ (2...UnixFSProfile.widthMax).contains($0) }) ?? true else {
            throw ValidationError("--width takes a number from 2 to \(UnixFSProfile.widthMax)")
        }
        guard hamtThreshold.map({ $0.value <= largest }) ?? true else {
            throw ValidationError("--hamt-threshold takes a size up to 2MiB")
        }
    }

    /// The profile.
    var profile: UnixFSProfile {
        var profile = UnixFSProfile()
        if let chunk { profile.chunkSize = Int(chunk.value) }
        if let width { profile.width = width }
        if let hamtThreshold { profile.hamtThreshold = Int(hamtThreshold.value) }
        profile.hasRawLeaves = rawLeaves
        return profile
    }
}
