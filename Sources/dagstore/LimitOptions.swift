internal import ArgumentParser
internal import DAGCAR
internal import DAGStorage

/// `--max-section` and `--max-header`: the largest parts of a CAR to read.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The largest section to read, such as 64MiB. Default: 8MiB.",
            valueName: "size"
        )
    )
    var maxSection: ByteCount?

    @Option(
        help: ArgumentHelp(
            "The largest CAR header to read, such as 64MiB. Default: 32MiB.",
            valueName: "size"
        )
    )
    var maxHeader: ByteCount?

    func validate() throws {
        guard maxSection?.value != 0, maxHeader?.value != 0 else {
            throw ValidationError("--max-section and --max-header take a size of at least 1 byte")
        }
    }

    /// The limits.
    var limits: CARLimits {
        var limits = CARLimits()
        if let maxSection { limits.sectionSizeMax = maxSection.value }
        if let maxHeader { limits.headerSizeMax = maxHeader.value }
        return limits
    }
}
