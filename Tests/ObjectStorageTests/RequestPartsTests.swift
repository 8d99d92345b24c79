import DAGSystem
import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Parts of requests")
struct RequestPartsTests {
    @Test("times are read and written in the forms of HTTP and S3")
    func times() throws {
        let time = try #require(UTCTime(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT"))
        #expect(time.seconds == 784_111_777)
        #expect(time.basic == "19941106T084937Z")
        #expect(UTCTime(isoDate: "1994-11-06T08:49:37Z") == time)
        #expect(UTCTime(isoDate: "1994-11-06T08:49:37.123Z") == time)
        #expect(UTCTime(isoDate: "2000-02-29T00:00:00Z")?.basic == "20000229T000000Z")
        #expect(UTCTime(isoDate: "1994-13-06T08:49:37Z") == nil)
        #expect(UTCTime(isoDate: "1994-11-06") == nil)
        #expect(UTCTime(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT") == nil)
        #expect(WallClock.seconds > 1_700_000_000)
    }

    @Test("every day of four centuries is written and read back")
    func days() throws {
        var previous = UTCTime(seconds: 0)
        var wrong: [String] = []
        for day in 1..<(4 * 36_525) {
            let time = UTCTime(seconds: Int64(day) * 86_400 + 5)
            let text = time.basic
            let parts = [text.prefix(4), text.dropFirst(4).prefix(2), text.dropFirst(6).prefix(2)]
            let again = UTCTime(isoDate: parts.joined(separator: "-") + "T00:00:05Z")
            if again != time || previous.basic >= text { wrong.append(text) }
            previous = time
        }
        #expect(wrong == [])
    }

    @Test(
        "a Content-Range is read",
        arguments: [
            ("bytes 0-9/100", 0..<10, 100), ("bytes 5-5/*", 5..<6, nil), ("bytes */7", nil, 7),
        ] as [(String, Range<UInt64>?, UInt64?)]
    )
    func contentRange(text: String, range: Range<UInt64>?, size: UInt64?) throws {
        let value = try #require(ContentRange(text))
        #expect(value.range == range)
        #expect(value.size == size)
    }

    @Test(
        "a malformed Content-Range is none",
        arguments: [
            "", "bytes", "bytes 1-0/9", "bytes 0-9/9", "bytes */*", "bytes -1/2", "bytes 0-/2",
            "items 0-1/2", "bytes 0-99999999999999999999/*", "bytes 0-1", "bytes 0-1-2/9",
        ]
    )
    func badContentRange(text: String) { #expect(ContentRange(text) == nil) }

    @Test("versions contradict each other by the best property that both have")
    func versions() {
        let old = "Sun, 06 Nov 1994 08:49:37 GMT"
        let new = "Sun, 06 Nov 1994 08:49:38 GMT"
        let one = ObjectVersion(tag: "\"a\"", lastModified: old)
        #expect(!one.contradicts(ObjectVersion(tag: "\"a\"", lastModified: new)))
        #expect(one.contradicts(ObjectVersion(tag: "\"b\"", lastModified: old)))
        #expect(one.contradicts(ObjectVersion(tag: nil, lastModified: new)))
        #expect(!one.contradicts(ObjectVersion(tag: nil, lastModified: nil)))
        let weak = ObjectVersion(tag: "W/\"a\"", lastModified: nil)
        #expect(weak.tag == nil)
        #expect(weak.conditions == [])
        #expect(weak.contradicts(ObjectVersion(tag: "W/\"b\"", lastModified: nil)))
        #expect(ObjectVersion(tag: "no quotes", lastModified: "yesterday").validator == nil)
        #expect(one.conditions == [HeaderField("If-Match", "\"a\"")])
    }

    @Test("pauses grow, stay below their limit, and respect the server")
    func pauses() {
        var policy = RetryPolicy()
        policy.pauseMin = .milliseconds(100)
        policy.pauseMax = .seconds(1)
        let low = (1...6).map { policy.pause(after: $0, retryAfter: nil, jitter: 0) }
        #expect(low == [50, 100, 200, 400, 500, 500].map { Duration.milliseconds($0) })
        let high = (1...6).map { policy.pause(after: $0, retryAfter: nil, jitter: 1) }
        #expect(high == [100, 200, 400, 800, 1000, 1000].map { Duration.milliseconds($0) })
        #expect(policy.pause(after: 1, retryAfter: .seconds(7), jitter: 0) == .seconds(7))
        #expect(policy.pause(after: .max, retryAfter: nil, jitter: 0) == .milliseconds(500))
    }

    @Test("Retry-After is a number of seconds, or a date beside the server's own")
    func retryAfter() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        #expect(RetryPolicy.retryAfter("5", date: nil) == .seconds(5))
        #expect(
            RetryPolicy.retryAfter("Sun, 06 Nov 1994 08:49:47 GMT", date: date) == .seconds(10)
        )
        #expect(RetryPolicy.retryAfter("99999999", date: nil) == .seconds(86_400))
        #expect(RetryPolicy.retryAfter("soon", date: date) == nil)
        #expect(RetryPolicy.retryAfter("-1", date: date) == nil)
    }

    @Test("a server that drips is too slow, and one that pauses once is not")
    func progress() {
        var drip = ProgressMeter(window: .seconds(10), bytesMin: 100, at: .zero)
        let outcomes = (1...10).map { drip.record(1, at: .seconds($0)) }
        #expect(outcomes == [Bool](repeating: true, count: 9) + [false])
        var burst = ProgressMeter(window: .seconds(10), bytesMin: 100, at: .zero)
        let later = [
            burst.record(1000, at: .seconds(30)), burst.record(1, at: .seconds(31)),
            burst.record(1, at: .seconds(41)),
        ]
        #expect(later == [true, true, false])
    }

    @Test("a class finds its reserved slots, and uses more while the others stay free")
    func slots() {
        var table = SlotTable(count: 8)
        var taken = 0
        while table.admits(.fetch) {
            table.take(.fetch)
            taken += 1
        }
        #expect(taken == 4)
        for kind in [RequestClass.read, .index] {
            for _ in 0..<2 {
                #expect(table.admits(kind))
                table.take(kind)
            }
            #expect(!table.admits(kind))
        }
        table.release(.fetch)
        #expect(table.admits(.read))
        #expect(table.admits(.fetch))
        #expect(SlotTable(count: 1).count == 3)
    }

    @Test("any order of takes and releases leaves each class its share", arguments: 0..<20)
    func slotSequences(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        var table = SlotTable(count: Int.random(in: 1...12, using: &generator))
        for _ in 0..<500 {
            let kind = RequestClass.allCases.randomElement(using: &generator) ?? .read
            if Bool.random(using: &generator) {
                if table.admits(kind) { table.take(kind) }
            } else if table.used[kind.rawValue] > 0 {
                table.release(kind)
            }
            #expect(table.used.reduce(0, +) <= table.count)
            for kind in RequestClass.allCases where table.used[kind.rawValue] < table.reserved {
                #expect(table.admits(kind), "seed \(seed)")
            }
        }
    }

    @Test("a request that waits for a slot ends when its task is cancelled")
    func slotCancellation() async throws {
        let slots = RequestSlots(count: 3)
        let origin = try ObjectURL("http://a/").origin
        let gate = Gate()
        let holder = Task {
            try await slots.withSlot(origin, .read) {
                try await gate.pass(heedingCancellation: false)
            }
        }
        await gate.waitForArrivals(1)
        let waiter = Task { try await slots.withSlot(origin, .read) {} }
        await eventually { slots.waiterCount(origin, .read) == 1 }
        // Another class has a slot of its own.
        try await slots.withSlot(origin, .index) {}
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        gate.open()
        try await holder.value
        #expect(slots.hostCount == 0)
    }

    @Test("a profile file is read, and its comments and nested values are not")
    func profiles() {
        let file = ProfileFile(
            text: """
                # aws_access_key_id = comment
                [default]
                aws_access_key_id=one
                aws_secret_access_key = two = three
                s3 =
                  aws_access_key_id = nested
                [profile other]
                region = eu-west-1
                """
        )
        #expect(file.value("aws_access_key_id", ofProfile: "default") == "one")
        #expect(file.value("aws_secret_access_key", ofProfile: "default") == "two = three")
        #expect(file.value("s3", ofProfile: "default") == nil)
        #expect(file.value("region", ofProfile: "other") == "eu-west-1")
    }

    @Test("a flat JSON object is read, and anything deeper is refused")
    func json() {
        let object = FlatJSON(Array(#" {"a":"x\"\u0041\/", "n": -1.5, "b" : true, "c":""} "#.utf8))
        #expect(object?.strings == ["a": "x\"A/", "c": ""])
        for text in ["", "{", "{}x", #"{"a":{}}"#, #"{"a":[]}"#, #"{"a"}"#, #"{"a":"x"#, "[]"] {
            #expect(FlatJSON(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test("an S3 URL names a bucket and a key, and an endpoint addresses them")
    func locations() throws {
        let location = try S3Location("s3://bucket/a b/c+d%.car")
        #expect(location.bucket == "bucket")
        #expect(location.key == "a b/c+d%.car")
        let aws = try S3Endpoint(region: "eu-west-1")
        #expect(
            aws.url(of: location).text
                == "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd%25.car"
        )
        let dotted = try S3Location("s3://my.bucket/k")
        #expect(aws.url(of: dotted).text == "https://s3.eu-west-1.amazonaws.com/my.bucket/k")
        // A host name has no capitals, and the bucket without them is another one.
        let old = try S3Location("s3://MyBucket/k")
        #expect(aws.url(of: old).text == "https://s3.eu-west-1.amazonaws.com/MyBucket/k")
        let own = try S3Endpoint(url: "http://127.0.0.1:9000", region: "us-east-1")
        #expect(own.url(of: location).text == "http://127.0.0.1:9000/bucket/a%20b/c%2Bd%25.car")
        for text in [
            "s3://", "s3://b/k", "s3://bucket", "s3://bucket/", "s3://bu cket/k",
            "s3://bucket/../k",
        ] {
            #expect(throws: ObjectStorageError(.malformedURL, ""), "\(text)") {
                try S3Location(text)
            }
        }
        #expect(throws: ObjectStorageError(.malformedURL, "")) { try S3Endpoint(region: "a.b/c") }
    }

    @Test("descriptions and mirrors of credentials show no secret")
    func secrets() {
        let credentials = S3Credentials(accessKey: "key", secretKey: "hidden", sessionToken: "tok1")
        var text = "\(credentials) \(String(reflecting: credentials))"
        dump(credentials, to: &text)
        dump(HeaderField("Authorization", "hidden"), to: &text)
        #expect(!text.contains("hidden"))
        #expect(!text.contains("tok1"))
    }
}
