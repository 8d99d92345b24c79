// Writes the pages of the manual: dagstore-manual FOLDER VERSION, with the output of --experimental-dump-help on
// standard input. `make install` runs it.

internal import Foundation

guard CommandLine.arguments.count == 3 else {
    let usage = "usage: dagstore --experimental-dump-help | dagstore-manual FOLDER VERSION\n"
    FileHandle.standardError.write(Data(usage.utf8))
    exit(2)
}
let folder = URL(filePath: CommandLine.arguments[1], directoryHint: .isDirectory)
let json = try FileHandle.standardInput.readToEnd() ?? Data()
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
for page in Page.all(of: try Command.decode(json), CommandLine.arguments[2]) {
    try Data(page.text.utf8).write(to: folder.appending(path: "\(page.name).1"))
}
