#if Node
    @testable import DAGGateway
    import DAGBytes
    import DAGStorage
    import GatewayRequests
    import NIOCore
    import TestSupport
    import Testing

    /// Parts of the gateway that need no server.
    @Suite("Gateway parts")
    struct PartsTests {
        @Test(
            "a date has the form of RFC 9110",
            arguments: [
                (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
                (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
                (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
                (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
                (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
                (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
                (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
                (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            ]
        )
        func dates(second: Int, text: String) {
            #expect(HTTPDate.text(of: second) == text)
        }

        @Test("a buffer hands out what was put in, and uses its memory again")
        func chunks() {
            var chunks = ChunkBuffer()
            var generator = SplitMix64(seed: 1)
            var capacities: Set<Int> = []
            for _ in 0..<10 {
                let bytes = generator.bytes(ChunkBuffer.chunkSize + 100)
                #expect(chunks.append(bytes[...]) == ChunkBuffer.chunkSize)
                #expect(chunks.isFull)
                let chunk = chunks.take()
                #expect(chunk.readableBytesView.elementsEqual(bytes.prefix(ChunkBuffer.chunkSize)))
                capacities.insert(chunk.capacity)
                #expect(chunks.isEmpty)
            }
            #expect(capacities == [ChunkBuffer.chunkSize])
        }

        @Test("chunks that are still being sent keep their bytes")
        func chunksInFlight() {
            var chunks = ChunkBuffer()
            var kept: [ByteBuffer] = []
            for number in 0..<8 as Range<UInt8> {
                _ = chunks.append([number][...])
                kept.append(chunks.take())
            }
            #expect(kept.map { Array($0.readableBytesView) } == (0..<8).map { [$0] })
        }

        @Test("a buffer for known content is no larger than that")
        func smallContent() {
            var chunks = ChunkBuffer(size: 5)
            #expect(chunks.append([1, 2, 3][...]) == 3)
            #expect(chunks.room == 2)
            #expect(chunks.append([4, 5, 6][...]) == 2)
            #expect(Array(chunks.take().readableBytesView) == [1, 2, 3, 4, 5])
        }

        @Test("every error of a store has a status")
        func statuses() {
            var statuses: [Int: Int] = [:]
            for code in DAGStoreError.Code.allCases {
                let refusal = GatewayRefusal(storeError: DAGStoreError(code, "secret"))
                statuses[refusal.status, default: 0] += 1
                #expect([400, 404, 409, 500, 501, 502, 503, 504].contains(refusal.status))
                // What is wrong inside is no client's concern.
                let isInner = refusal.status >= 500 && refusal.status != 501
                #expect(refusal.message.contains("secret") == !isInner, "\(code)")
                #expect((refusal.status == 503) == !refusal.fields.isEmpty)
            }
            #expect(Set(statuses.keys) == [400, 404, 409, 500, 501, 502, 503, 504])
            struct Other: Error {}
            #expect(GatewayRefusal(storeError: Other()).status == 500)
        }
    }
#endif
