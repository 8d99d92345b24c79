internal import FuzzChecks
internal import FuzzDriver

/// Segments of a shard's locator, and searches in them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.segment, start, size)
}

@main
enum SegmentFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
