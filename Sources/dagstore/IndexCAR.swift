internal import ArgumentParser
internal import DAGCAR
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage

/// `car index`: writes a detached index of a CAR file.
struct IndexCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Write a detached index with the same bytes as go-car."
    )

    @OptionGroup var car: CARArgument
    @OptionGroup var index: IndexOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try OutputFile(index.output).rejectInputs([FilePath(car.name)])
        try car.open { file in
            var builder = CARIndexBuilder(storesIdentity: index.identity)
            let bar = ProgressBar(progress.progress, car.name)
            _ = try CARArgument.walk(file, bar) { section, digest in
                builder.append(
                    hashCode: section.cid.hashCode,
                    digest: digest,
                    offset: section.offset
                )
            }
            try index.write(builder, format.format)
        }
    }
}
