internal import ArgumentParser
internal import Bytes
internal import CAR
internal import DAGStorage
internal import Mounts
internal import SystemPackage

/// The FILE of a verb about one CAR file.
struct CARArgument: ParsableArguments {
    /// How far a walk goes before it tells again how far it is.
    private static let progressStep: UInt64 = 1 << 20

    @Argument(help: "A CAR file, version 1 or 2.")
    var file: String

    /// Opens the file for `body`, and puts its name before what is wrong with it.
    func open(_ body: (CARFile) throws -> Void) throws {
        let path = FilePath(file)
        do {
            try body(try CARFile(opening: path))
        } catch let error as CARError {
            throw DAGStoreError(error).about(path)
        } catch let error as MountError {
            throw DAGStoreError(error).about(path)
        }
    }

    /// Calls `body` with every section of `car` and its digest, and shows how far that is.
    ///
    /// - Returns: The end of the data in the payload.
    static func walk(
        _ car: CARFile,
        _ bar: ProgressBar,
        _ body: (borrowing Section, ByteView) throws -> Void
    ) throws -> UInt64 {
        defer { bar.finish() }
        var walk = car.walk()
        var next: UInt64 = 0
        try walk.forEach { section, digest in
            if section.offset >= next {
                next = section.offset + progressStep
                bar.update(section.offset, of: car.layout.dataSize)
            }
            try body(section, digest)
        }
        return walk.position
    }
}
