internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage
internal import SystemPackage

/// `restore`: makes a store out of a backup.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a store out of a backup.",
        discussion: """
            The folder of --store may exist, but not have a store. The store appears when it is complete, checked \
            and on disk. It reads CARs where their mounts say, and fetches its own copies again.
            """
    )

    @Argument(
        help: ArgumentHelp("A folder that 'dagstore backup' made.", valueName: "dir"),
        completion: .directory
    )
    var backup: String

    @OptionGroup var copy: CopyOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard !backup.isEmpty else { throw ValidationError("the name of the backup is empty") }
    }

    func run() throws {
        let start = ContinuousClock.now
        let directory = try store.directory
        let report = try store.waiting {
            try copy.run("restoring") { options, progress in
                try DAGStore.restore(
                    from: FilePath(backup),
                    to: directory,
                    options: options,
                    progress: progress
                )
            }
        }
        let time = ContinuousClock.now - start
        try Output.run(format.format) { output in
            switch format.format {
            case .text:
                let shards = report.shards.counted("shard", "shards")
                let taken = report.taken.asTimestamp
                try output.line(
                    "\(shards), \(report.bytes.asSize) restored as of \(taken), \(time.asTime)"
                )
            case .json:
                try output.object { json in
                    json.member("shards", report.shards)
                    json.member("bytes", report.bytes)
                    json.member("taken", report.taken.asTimestamp)
                    json.member("checksum", report.checksum.asChecksum)
                    json.member("seconds", time)
                }
            }
        }
    }
}
