internal import FuzzChecks
internal import FuzzDriver

/// UnixFS nodes, and the shards of directories.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.unixFS, start, size)
}

@main
enum UnixFSFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
