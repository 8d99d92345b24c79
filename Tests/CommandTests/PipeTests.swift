import Foundation
import TestSupport
import Testing

@Suite("CARs through pipes")
struct PipeTests {
    @Test("a CAR may come through a pipe, or from standard input")
    func pipes() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.bytes, to: "sample.car")
        let lines = [
            "$DAGSTORE car verify - --format json < \(path)",
            "cat \(path) | $DAGSTORE car verify - --format json",
            "cat \(path) | $DAGSTORE car inspect /dev/stdin --format json",
            "mkfifo fifo; cat \(path) > fifo & $DAGSTORE car list fifo --format json | tail -n 1",
            "cat \(path) | $DAGSTORE car index - -o index --format json",
        ]
        for line in lines {
            let outcome = try await Command.shell(line, in: folder.url.path)
            #expect(outcome.status == 0, "\(line): \(outcome.errorText)")
            #expect(outcome.objects.count == 1, "\(line)")
        }
        let cut = try await Command.shell("head -c 80 \(path) | $DAGSTORE car verify -")
        #expect(cut.status == 5)
        #expect(cut.errorText.contains("standard input: "))
    }

    @Test("the bar of a program without standard error goes nowhere, and not into its output")
    func closedDescriptors() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write([UInt8](repeating: 7, count: 4 << 20), to: "file")
        // Without these signals the program opens fewer descriptors of its own.
        let line = "trap '' INT TERM; $DAGSTORE car create file -o out.car --progress always"
        for closed in ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"] {
            let outcome = try await Command.shell("\(line) \(closed)", in: folder.url.path)
            #expect(outcome.status == 0, "\(closed): \(outcome.errorText)")
            let verified = try await Command.run(["car", "verify", folder.path(of: "out.car")])
            #expect(verified.status == 0, "\(closed): \(verified.errorText)")
            try FileManager.default.removeItem(atPath: folder.path(of: "out.car"))
        }
    }

    @Test("a file that cannot be mapped is read")
    func unmappable() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.bytes, to: "large.car")
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        // A hole: it takes no room on the disk, and more of the address space than there is.
        try handle.truncate(atOffset: 16 << 30)
        try handle.close()
        for verb in ["list", "inspect"] {
            let line = "ulimit -v 8000000 && $DAGSTORE car \(verb) \(path) --format json"
            let outcome = try await Command.shell(line)
            #expect(outcome.status == 0, "\(verb): \(outcome.errorText)")
        }
    }

    @Test("a folder and an empty pipe are rejected")
    func nothing() async throws {
        let folder = try TemporaryFolder()
        let directory = try await Command.run(["car", "list", folder.url.path])
        #expect(directory.status == 4)
        #expect(directory.errorText.contains("is a directory"))
        let empty = try await Command.shell("true | $DAGSTORE car inspect - --format json")
        #expect(empty.status == 5)
        #expect(empty.error["message"]?.text?.contains("standard input: ") == true)
        #expect(empty.error["message"]?.text?.contains("the file is empty") == true)
    }
}
