import AdminMessages
import Foundation
import Testing

@Suite("Keys as arguments of a shell")
struct ArgumentTests {
    @Test(
        "a shell takes the argument for the key",
        arguments: ["a", "a b", "a!", "it's a b!", "$x `y` \"z\" \\", "(a;b)", "ä", "*"]
    )
    func shell(key: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf %s \(key.asArgument)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(String(decoding: bytes, as: UTF8.self) == key)
    }

    @Test("an interactive shell finds no history in it, and control characters are not shown")
    func odd() {
        #expect("a!".asArgument == "'a!'")
        #expect("-a b".asArgument == "-- \"-a b\"")
        #expect("a\n".asArgument == "KEY")
        #expect("".asArgument == "KEY")
    }
}
