internal import FuzzChecks
internal import FuzzDriver

/// Pages of a shard's index.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.page, start, size)
}

@main
enum PageFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
