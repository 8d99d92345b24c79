import DAGIPLD
import DAGMultiformats
import GatewayRequests
import Testing

/// The heads of answers.
@Suite("Gateway answers")
struct AnswerTests {
    static let root = Planning.root
    static let path = "/ipfs/\(root)"

    @Test("a block's answer has every field")
    func block() throws {
        let answer = try Planning.plan("\(Self.path)?format=raw").block().answer(size: 31)
        #expect(answer.status == 200)
        #expect(answer.body == 0..<31)
        #expect(
            Set(answer.fields.map { "\($0.name.rawValue): \($0.value)" }) == [
                "Etag: \"\(Self.root).raw\"",
                "Cache-Control: public, max-age=29030400, immutable",
                "Content-Type: application/vnd.ipld.raw",
                "Content-Disposition: attachment; filename=\"\(Self.root).bin\"",
                "Content-Length: 31", "Accept-Ranges: bytes", "X-Ipfs-Path: \(Self.path)",
                "X-Ipfs-Roots: \(Self.root)",
            ]
        )
        #expect(answer.fields.count == 8)
    }

    @Test("a CAR's answer has every field")
    func car() throws {
        let plan = try Planning.plan("\(Self.path)/a%20b?format=car&car-dups=y").car()
        #expect(plan.answer.status == 200)
        #expect(plan.answer.body == nil)
        #expect(
            Set(plan.answer.fields.map { "\($0.name.rawValue): \($0.value)" }) == [
                "Etag: \(plan.tag)", "Cache-Control: public, max-age=29030400, immutable",
                "Content-Type: application/vnd.ipld.car; version=1; order=dfs; dups=y",
                "Content-Disposition: attachment; filename=\"\(Self.root).car\"",
                "Accept-Ranges: none", "X-Ipfs-Path: \(Self.path)/a%20b", "Vary: Accept",
            ]
        )
        #expect(plan.tag.isWeak)
        #expect(plan.tag.description.hasPrefix("W/\"\(Self.root).car."))
    }

    @Test("the content type says whether blocks repeat", arguments: [("y", "y"), ("n", "n")])
    func contentType(asked: String, told: String) throws {
        let accept = "application/vnd.ipld.car; order=unk; dups=\(asked)"
        let answer = try Planning.plan(Self.path, accept: accept).car().answer
        let type = "application/vnd.ipld.car; version=1; order=dfs; dups=\(told)"
        #expect(answer[.contentType] == type)
    }

    @Test("tags differ by root, path, scope, bytes, duplicates and format")
    func tags() throws {
        let other = "bafybeidh6k2vzukelqtrjsmd4p52cpmltd2ufqrdtdg6yigi73in672fwu"
        let cars = [
            "\(Self.path)?format=car", "/ipfs/\(other)?format=car", "\(Self.path)/a?format=car",
            "\(Self.path)/a/b?format=car", "\(Self.path)/a%2Fb?format=car",
            "\(Self.path)?format=car&dag-scope=entity", "\(Self.path)?format=car&dag-scope=block",
            "\(Self.path)?format=car&entity-bytes=0:*", "\(Self.path)?format=car&entity-bytes=0:9",
            "\(Self.path)?format=car&car-dups=y", "\(Self.path)/entity?format=car",
        ]
        var tags = try cars.map { try Planning.plan($0).car().tag.opaque }
        tags.append(try Planning.plan("\(Self.path)?format=raw").block().tag.opaque)
        #expect(Set(tags).count == tags.count)
        // The same question has the same tag, however it is put.
        let same = [
            "\(Self.path)/a/b?format=car", "\(Self.path)//a/b/?format=car&car-dups=n",
            "\(Self.path)/%61/b?car-order=unk&format=car&dag-scope=all&filename=x",
        ]
        #expect(Set(try same.map { try Planning.plan($0).car().tag.opaque }).count == 1)
    }

    @Test(
        "If-None-Match compares weakly, and with every tag of the list",
        arguments: [
            ("\"\(root).raw\"", 304), ("W/\"\(root).raw\"", 304), ("*", 304), (" * ", 304),
            ("\"other\", \"\(root).raw\"", 304), ("\"a\",W/\"\(root).raw\" , \"b\"", 304),
            (",, \"\(root).raw\"", 304), ("\"\(root).car\"", 200), ("\"other\"", 200),
            ("", 200), ("\(root).raw", 200), ("\"\(root).raw", 200), ("\"a\" \"\(root).raw\"", 200),
            ("w/\"\(root).raw\"", 200), ("*, \"x\"", 200), ("W/", 200), ("\"", 200),
        ]
    )
    func noneMatch(field: String, status: Int) throws {
        for method in [GatewayRequest.Method.get, .head] {
            let plan = try Planning.plan("\(Self.path)?format=raw", method, ifNoneMatch: field)
            let answer = try plan.block().answer(size: 31)
            #expect(answer.status == status)
            guard status == 304 else { continue }
            #expect(answer.body == nil)
            #expect(answer[.entityTag] == "\"\(Self.root).raw\"")
            #expect(answer[.cacheControl] == "public, max-age=29030400, immutable")
            #expect(answer[.contentLength] == nil)
            #expect(answer[.contentType] == nil)
        }
    }

    @Test("If-None-Match applies to CARs")
    func noneMatchOfCARs() throws {
        let address = "\(Self.path)/a?format=car&dag-scope=entity"
        let tag = try Planning.plan(address).car().tag
        for field in [tag.description, "\"\(tag.opaque)\"", "\"x\", \(tag)", "*"] {
            let plan = try Planning.plan(address, ifNoneMatch: field).car()
            #expect(plan.isKnown)
            #expect(plan.answer.status == 304)
        }
        let other = try Planning.plan("\(Self.path)/b?format=car", ifNoneMatch: "\(tag)").car()
        #expect(!other.isKnown)
        #expect(other.answer.status == 200)
    }

    @Test("a list of too many tags is read in part")
    func manyTags() throws {
        let field = (0..<10_000).map { "\"\($0)\"" }.joined(separator: ",")
        let plan = try Planning.plan("\(Self.path)?format=raw", ifNoneMatch: field).block()
        #expect(plan.answer(size: 1).status == 200)
    }

    @Test(
        "a range is answered with its part, or with status 416, or ignored",
        arguments: [
            ("bytes=6-16", 6..<17), ("bytes=0-0", 0..<1), ("bytes=0-", 0..<31),
            ("bytes=30-", 30..<31), ("bytes=-5", 26..<31), ("bytes=-31", 0..<31),
            ("bytes=-99", 0..<31), ("bytes=5-99", 5..<31), ("BYTES=1-2", 1..<3),
            ("bytes= 1-2 ", 1..<3), ("bytes=1-99999999999999999999999", 1..<31),
            ("bytes=-99999999999999999999999", 0..<31), ("bytes=0-18446744073709551615", 0..<31),
        ] as [(String, Range<UInt64>)]
    )
    func parts(field: String, part: Range<UInt64>) throws {
        let plan = try Planning.plan("\(Self.path)?format=raw", range: field).block()
        let answer = plan.answer(size: 31)
        #expect(answer.status == 206)
        #expect(answer.body == part)
        #expect(answer[.contentRange] == "bytes \(part.lowerBound)-\(part.upperBound - 1)/31")
        #expect(answer[.contentLength] == "\(part.count)")
        #expect(answer[.entityTag] == "\"\(Self.root).raw\"")
    }

    @Test(
        "a range outside the block has status 416",
        arguments: ["bytes=31-", "bytes=31-40", "bytes=-0", "bytes=99999999999999999999999-"]
    )
    func unsatisfiable(field: String) throws {
        let plan = try Planning.plan("\(Self.path)?format=raw", range: field).block()
        let answer = plan.answer(size: 31)
        #expect(answer.status == 416)
        #expect(answer[.contentRange] == "bytes */31")
        #expect(answer.body == nil)
    }

    @Test("no range of an empty block exists", arguments: ["bytes=0-", "bytes=-1", "bytes=0-0"])
    func empty(field: String) throws {
        let plan = try Planning.plan("/ipfs/bafkqaaa?format=raw", range: field).block()
        #expect(plan.answer(size: 0).status == 416)
        #expect(
            try Planning.plan("/ipfs/bafkqaaa?format=raw").block().answer(size: 0).body == 0..<0
        )
    }

    @Test(
        "several ranges, other units and malformed ranges get everything",
        arguments: [
            "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "lines=0-1", "bytes",
            "bytes=1", "bytes=--1", "bytes=1--2", "bytes=+1-2", "", "bytes=0-1;", "bytes=0x1-2",
        ]
    )
    func ignoredRanges(field: String) throws {
        let plan = try Planning.plan("\(Self.path)?format=raw", range: field).block()
        #expect(plan.answer(size: 31).status == 200)
        #expect(plan.answer(size: 31).body == 0..<31)
    }

    @Test("a CAR and HEAD ignore ranges")
    func rangesElsewhere() throws {
        let head = try Planning.plan("\(Self.path)?format=raw", .head, range: "bytes=0-1").block()
        #expect(head.answer(size: 31).status == 200)
        let car = try Planning.plan("\(Self.path)?format=car", range: "bytes=0-1").car()
        #expect(car.answer.status == 200)
        #expect(car.answer[.acceptRanges] == "none")
    }

    @Test(
        "If-Range sends the part only for the same bytes",
        arguments: [
            ("\"\(root).raw\"", 206), ("W/\"\(root).raw\"", 200), ("\"other\"", 200),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 200), ("", 200),
        ]
    )
    func ifRange(field: String, status: Int) throws {
        let plan = try Planning.plan(
            "\(Self.path)?format=raw",
            ifRange: field,
            range: "bytes=0-1"
        ).block()
        #expect(plan.answer(size: 31).status == status)
    }

    @Test(
        "cached content only: what is missing has status 412",
        arguments: [
            (nil, 404), ("no-cache", 404), ("only-if-cached", 412), ("Only-If-Cached", 412),
            ("max-age=0, only-if-cached", 412), ("only-if-cached=1", 412),
            ("x-only-if-cached", 404),
        ] as [(String?, Int)]
    )
    func onlyIfCached(field: String?, status: Int) throws {
        let block = try Planning.plan("\(Self.path)?format=raw", cacheControl: field).block()
        #expect(block.statusWhenMissing == status)
        let car = try Planning.plan("\(Self.path)?format=car", cacheControl: field).car()
        #expect(car.statusWhenMissing == status)
    }

    @Test(
        "Content-Location names what Accept decided",
        arguments: [
            ("", "application/vnd.ipld.raw", "?format=raw"),
            ("?", "application/vnd.ipld.raw", "?format=raw"),
            ("?filename=x%20y", "application/vnd.ipld.raw", "?filename=x%20y&format=raw"),
            ("?dag-scope=entity", "application/vnd.ipld.car", "?dag-scope=entity&format=car"),
            ("", "application/vnd.ipld.car;dups=y", "?format=car&car-order=dfs&car-dups=y"),
            (
                "?format=car", "application/vnd.ipld.car;dups=y",
                "?format=car&car-order=dfs&car-dups=y"
            ),
            ("?format=car", "application/vnd.ipld.car", nil), ("?format=car", nil, nil),
            ("?format=raw", "application/vnd.ipld.car", nil),
        ] as [(String, String?, String?)]
    )
    func contentLocation(query: String, accept: String?, location: String?) throws {
        let plan = try Planning.plan("\(Self.path)\(query)", accept: accept)
        let answer: GatewayAnswer
        if case .block(let block) = plan {
            answer = block.answer(size: 1)
        } else {
            answer = try plan.car().answer
        }
        #expect(answer[.contentLocation] == location.map { "\(Self.path)\($0)" })
        guard let location else { return }
        // The location, asked for without Accept, is the same content.
        let again = try Planning.plan("\(Self.path)\(location)")
        if case .block(let block) = again {
            #expect(block.answer(size: 1)[.entityTag] == answer[.entityTag])
        } else {
            #expect(try again.car().answer[.entityTag] == answer[.entityTag])
        }
    }

    @Test(
        "a file name is kept as far as it is harmless",
        arguments: [
            ("foobar.bin", "filename=\"foobar.bin\""), ("a+b", "filename=\"a b\""),
            ("..%2F..%2Fetc%2Fpasswd", "filename=\"_.._etc_passwd\""),
            ("a%22%0d%0aX:%20y", "filename=\"a___X_ y\""), (".hidden", "filename=\"hidden\""),
            ("a%5Cb", "filename=\"a_b\""), ("...", "filename=\"\(root).bin\""),
            ("", "filename=\"\(root).bin\""),
            ("%C3%A4%25.txt", "filename=\"__.txt\"; filename*=UTF-8''%C3%A4_.txt"),
            ("%E2%80%AEgnp.exe", "filename=\"_gnp.exe\""),
        ]
    )
    func fileNames(asked: String, value: String) throws {
        let plan = try Planning.plan("\(Self.path)?format=raw&filename=\(asked)").block()
        #expect(plan.answer(size: 1)[.contentDisposition] == "attachment; \(value)")
    }

    @Test("a long file name and a long CID are cut")
    func longNames() throws {
        let long = String(repeating: "x", count: 5000)
        let plan = try Planning.plan("\(Self.path)?format=raw&filename=\(long)").block()
        let value = try #require(plan.answer(size: 1)[.contentDisposition])
        #expect(value.utf8.count < 300)
        let data = [UInt8](repeating: 7, count: 5000)
        let cid = CID(codec: Codec.raw, multihash: Multihash(code: HashCode.identity, digest: data))
        let answer = try Planning.plan("/ipfs/\(cid)?format=raw").block().answer(size: 5000)
        for name in [GatewayField.Name.entityTag, .contentDisposition, .ipfsRoots] {
            #expect((answer[name]?.utf8.count ?? 0) < 300)
        }
        #expect(answer.status == 200)
    }

    @Test("no field has a line end, whatever the request says")
    func fieldsAreLines() throws {
        let query = "format=raw&filename=%0d%0aSet-Cookie:%20x&x=%0a"
        let answer = try Planning.plan("\(Self.path)?\(query)").block().answer(size: 1)
        for field in answer.fields {
            #expect(field.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }, "\(field)")
        }
    }

    @Test("a piece is sent whole or in parts, and its tag follows its bytes")
    func pieces() throws {
        let plan = try Planning.plan("/piece/a%2Fb%20c").piece()
        #expect(plan.key == "a/b c")
        let answer = plan.answer(size: 100, version: "1")
        #expect(answer.status == 200)
        #expect(answer.body == 0..<100)
        #expect(answer[.contentDisposition] == "attachment; filename=\"a_b c.car\"")
        #expect(answer[.acceptRanges] == "bytes")
        #expect(answer[.cacheControl] == "no-cache")
        let tag = try #require(answer[.entityTag])
        #expect(plan.answer(size: 100, version: "2")[.entityTag] != tag)
        #expect(plan.answer(size: 101, version: "1")[.entityTag] != tag)
        let again = try Planning.plan("/piece/a%2Fb%20c", ifNoneMatch: tag).piece()
        #expect(again.answer(size: 100, version: "1").status == 304)
        #expect(again.answer(size: 100, version: "2").status == 200)
        let part = try Planning.plan(
            "/piece/a%2Fb%20c?filename=x.car",
            ifRange: tag,
            range: "bytes=-10"
        ).piece()
        #expect(part.answer(size: 100, version: "1").body == 90..<100)
        #expect(part.answer(size: 100, version: "2").body == 0..<100)
        #expect(
            part.answer(size: 100, version: "1")[.contentDisposition]
                == "attachment; filename=\"x.car\""
        )
    }
}
