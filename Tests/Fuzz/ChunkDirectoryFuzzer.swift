internal import FuzzChecks
internal import FuzzDriver

/// Directories of chunks of a cluster's inverse index.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.chunkDirectory, start, size)
}

@main
enum ChunkDirectoryFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
