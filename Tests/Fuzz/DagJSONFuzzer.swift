internal import FuzzChecks
internal import FuzzDriver

/// Blocks of dag-json, in canonical form and in any.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.dagJSON, start, size)
}

@main
enum DagJSONFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
