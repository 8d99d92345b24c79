internal import FuzzChecks
internal import FuzzDriver

/// Blocks of dag-cbor, in canonical form and in any.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.dagCBOR, start, size)
}

@main
enum DagCBORFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
