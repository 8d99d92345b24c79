#if Node
    internal import DAGStorage
    internal import GatewayRequests
    internal import HummingbirdCore
    internal import NIOCore
    internal import NIOHTTP1

    extension Responder {
        /// Returns the answer to a request for a block that is in memory; nil for every other request, and if anything
        /// is wrong.
        ///
        /// The answer is the one of `respond(to:with:on:)`, which answers all other requests.
        ///
        /// *Cost*: a copy of the block. The call waits for nothing but the page of the section's header, if a read of
        /// another block has not brought it.
        func promptAnswer(to request: HTTPRequestHead) -> PromptAnswer? {
            let start = time
            guard !configuration.verifiesBlocks, request.method == .GET,
                request.version == .http1_1, let fields = HTTPHead.request(simple: request),
                case .block(let plan) = try? planner.plan(fields)
            else { return nil }
            let begin = time
            guard let block = try? store.blockIfOpen(for: plan.cid) else { return nil }
            let found = time
            let answer = plan.answer(size: UInt64(block.size))
            guard answer.status < 400 else { return nil }
            func log() {
                logAnswer(answer.status, to: "GET", request.uri, numbers.next())
                guard let observer else { return }
                observer.receive(.open, nanoseconds: found - begin)
                observer.receive(
                    GatewayReport(
                        kind: .block,
                        status: answer.status,
                        nanoseconds: time - start
                    )
                )
            }
            let head = HTTPHead.simpleResponse(answer, date: date.now)
            guard let part = answer.body, !part.isEmpty else {
                log()
                return PromptAnswer(head: head, body: ByteBuffer())
            }
            let range = Int(part.lowerBound)..<Int(part.upperBound)
            guard part.count <= ChunkBuffer.chunkSize, block.content.isResident(range),
                (try? traffic.admit(size: UInt64(part.count))) != nil,
                let body = try? Self.copy(block.content, range)
            else { return nil }
            traffic.count(part.count)
            log()
            return PromptAnswer(head: head, body: body)
        }
    }
#endif
