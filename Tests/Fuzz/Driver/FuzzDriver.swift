internal import CLibFuzzer
internal import DAGBytes
package import FuzzChecks
internal import Glibc

/// Runs libFuzzer.
package enum FuzzDriver {
    /// What libFuzzer calls with each input.
    package typealias EntryPoint = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

    /// Hands the process over to libFuzzer.
    ///
    /// The library's own `main` is of no use: the package manager names the one that is linked.
    package static func run(_ entryPoint: EntryPoint) -> Never {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        // SAFETY: both are those of the process, and the driver returns when it is done with them.
        exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, entryPoint))
    }

    /// Checks one input; a contradiction ends the process, which is how libFuzzer learns of it.
    ///
    /// - Returns: 0, as libFuzzer wants it.
    package static func check(
        _ check: FuzzCheck,
        _ start: UnsafePointer<UInt8>?,
        _ size: Int
    ) -> CInt {
        // SAFETY: libFuzzer keeps the bytes alive and unchanged during the call.
        let input = unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
        do {
            try check.run(input)
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
}
