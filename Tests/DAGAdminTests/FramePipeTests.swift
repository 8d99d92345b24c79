#if Node
    import AdminMessages
    @testable import DAGAdmin
    import Testing

    @Suite("Frames on their way to a client", .timeLimit(.minutes(2)))
    struct FramePipeTests {
        @Test("a pipe may end with frames that nobody took", arguments: [0, 1, 2, 16])
        func dropped(count: Int) {
            // libdispatch ends the process where the pipe's semaphore is used in another way.
            let pipe = FramePipe()
            for _ in 0..<count { #expect(pipe.send(.output([1]))) }
            pipe.close()
            #expect(!pipe.send(.output([2])))
        }

        @Test("an offered frame is dropped where there is no room, and a sent one waits")
        func offered() async {
            let pipe = FramePipe()
            for _ in 0..<16 { #expect(pipe.send(.output([1]))) }
            pipe.offer(.error([2]))
            let sending = Task.detached { pipe.send(.output([3])) }
            pipe.confirm()
            #expect(await sending.value)
            pipe.finish()
            var found: [OutputFrame] = []
            for await frame in pipe.frames { found.append(frame) }
            #expect(found == [OutputFrame](repeating: .output([1]), count: 16) + [.output([3])])
        }

        @Test("the end of a client lets a thread go that waits for room")
        func released() async {
            let pipe = FramePipe()
            for _ in 0..<16 { #expect(pipe.send(.output([1]))) }
            let sending = Task.detached { pipe.send(.output([3])) }
            pipe.close()
            #expect(await !sending.value)
        }
    }
#endif
