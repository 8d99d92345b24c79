import Glibc
import Hummingbird
import Logging
import NIOCore

// The HTTP library alone: what a gateway over it can reach at most.
//
//     http-baseline            prints the port it listens on
//     GET /hello               1 KiB
//     GET /static/{mebibytes}  so many MiB from one buffer, chunked

let hello = ByteBuffer(repeating: 0x61, count: 1024)
let mebibyte = ByteBuffer(repeating: 0x61, count: 1 << 20)

let router = Router()
router.get("/hello") { _, _ in
    Response(
        status: .ok,
        headers: [.contentType: "application/vnd.ipld.raw"],
        body: .init(byteBuffer: hello)
    )
}
router.get("/static/:mebibytes") { _, context in
    let count = try context.parameters.require("mebibytes", as: Int.self)
    return Response(
        status: .ok,
        headers: [.contentType: "application/vnd.ipld.car"],
        body: ResponseBody { writer in
            for _ in 0..<count { try await writer.write(mebibyte) }
            try await writer.finish(nil)
        }
    )
}
let application = Application(
    router: router,
    configuration: .init(address: .hostname("127.0.0.1", port: 0)),
    onServerRunning: { channel in
        // Not by print, whose buffer a reader of the pipe would wait for.
        let line = Array("127.0.0.1:\(channel.localAddress?.port ?? 0)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    },
    logger: Logger(label: "baseline") { _ in SwiftLogNoOpLogHandler() }
)
try await application.runService()
