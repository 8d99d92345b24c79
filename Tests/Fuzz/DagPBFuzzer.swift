internal import FuzzChecks
internal import FuzzDriver

/// Blocks of dag-pb, and what they encode to again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.dagPB, start, size)
}

@main
enum DagPBFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
