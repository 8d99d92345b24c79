internal import ArgumentParser
internal import DAGCAR
internal import DAGStorage

/// `--max-section` and `--max-header`: how large the parts of a CAR may be.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The largest section that is read, as 64MiB; 8MiB if left out.",
            valueName: "size"
        )
    )
    var maxSection: ByteCount?

    @Option(
        help: ArgumentHelp(
            "The largest CAR header that is read, as 64MiB; 32MiB if left out.",
            valueName: "size"
        )
    )
    var maxHeader: ByteCount?

    func validate() throws {
        guard maxSection?.value != 0, maxHeader?.value != 0 else {
            throw ValidationError("--max-section and --max-header take a size from 1 on")
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
