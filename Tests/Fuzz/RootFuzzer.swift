internal import FuzzChecks
internal import FuzzDriver

/// The root page of a shard's index.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.root, start, size)
}

@main
enum RootFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
