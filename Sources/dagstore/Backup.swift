internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage
internal import SystemPackage

/// `backup`: copies the catalog of a store while it is in use.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the catalog of the store to a new folder, while the store is in use.",
        discussion: """
            The backup has the records and indexes of one moment, and no CARs. The folder appears when it is \
            complete, checked and on disk; until then its name ends with .partial. The store's catalog may grow \
            while the copy runs. 'dagstore restore' makes a store out of a backup.
            """
    )

    @Argument(
        help: ArgumentHelp("A new folder, or an empty one.", valueName: "dir"),
        completion: .directory
    )
    var destination: String

    @OptionGroup var copy: CopyOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard !destination.isEmpty else { throw ValidationError("the name of the folder is empty") }
    }

    func run() throws {
        let start = ContinuousClock.now
        let store = try store.openForReading()
        defer { StoreOptions.closeWaiting(store) }
        Kernel.lowerPriority()
        let report = try copy.run("copying") { options, progress in
            try store.backup(
                to: FilePath(destination),
                options: options,
                progress: progress
            )
        }
        let time = ContinuousClock.now - start
        try Output.run(format.format) { output in
            switch format.format {
            case .text:
                let shards = report.shards.counted("shard", "shards")
                var line = "\(shards), \(report.bytes.asSize) copied to \(destination)"
                if report.growthBytes > 0 {
                    line += "; the store grew by \(report.growthBytes.asSize) meanwhile"
                }
                try output.line("\(line), \(time.asTime)")
            case .json:
                try output.object { json in
                    json.member("shards", report.shards)
                    json.member("bytes", report.bytes)
                    json.member("growthBytes", report.growthBytes)
                    json.member("checksum", report.checksum.asChecksum)
                    json.member("seconds", time)
                }
            }
        }
    }
}

extension UInt64 {
    /// The number as a checksum: 16 digits in hexadecimal.
    var asChecksum: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
