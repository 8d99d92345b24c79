import DAGIPLD
import DAGMultiformats
import GatewayRequests
import Testing

/// Which format a request gets.
@Suite("Gateway formats")
struct NegotiationTests {
    static let root = Planning.root
    static let raw = "application/vnd.ipld.raw"
    static let car = "application/vnd.ipld.car"

    enum Outcome: Equatable {
        case raw
        /// The content type's last part: the order and the rule for duplicates.
        case car(duplicates: Bool)
        case refused(Int)
    }

    static func outcome(_ query: String, _ accept: String?) -> Outcome {
        do throws(GatewayRefusal) {
            switch try Planning.plan("/ipfs/\(root)\(query)", accept: accept) {
            case .block: return .raw
            case .car(let plan): return .car(duplicates: plan.request.sendsDuplicates)
            default: return .refused(0)
            }
        } catch {
            return .refused(error.status)
        }
    }

    @Test(
        "Accept chooses by weight, and then by order",
        arguments: [
            (raw, .raw), (car, .car(duplicates: false)), ("APPLICATION/vnd.IPLD.raw", .raw),
            ("\(raw), \(car)", .raw), ("\(car), \(raw)", .car(duplicates: false)),
            ("\(raw);q=0.5, \(car)", .car(duplicates: false)),
            ("\(raw);q=0.5, \(car);q=0.4", .raw), ("\(raw);q=0.001,\(car);q=0", .raw),
            ("\(raw);q=0, \(car);q=0.1", .car(duplicates: false)),
            ("text/html, */*;q=0.8, \(raw);q=0.1", .raw),
            ("\(raw) ; q=0.2 , \(car) ; q=0.9", .car(duplicates: false)),
            ("\(car);dups=y;q=0.1, \(car);dups=n", .car(duplicates: false)),
            ("\(car);dups=y, \(car);dups=n;q=0.9", .car(duplicates: true)),
            ("\(car); version=1; order=dfs; dups=y", .car(duplicates: true)),
            ("\(car);version=\"1\";dups=\"y\"", .car(duplicates: true)),
            ("\(car);VERSION=1;DUPS=Y", .car(duplicates: true)),
            ("\(car); order=unk", .car(duplicates: false)),
            ("\(car);unknown=x", .car(duplicates: false)),
            // A form that is not served is passed over.
            ("\(car);version=2, \(raw);q=0.1", .raw),
            ("\(car);version=2, \(car);version=1;q=0.1", .car(duplicates: false)),
            // A malformed weight makes its media range void.
            ("\(raw);q=2, \(car);q=0.1", .car(duplicates: false)),
            ("\(raw);q=, \(car);q=0.1", .car(duplicates: false)),
            ("\(raw);q=0.1234, \(car);q=0.1", .car(duplicates: false)),
            ("\(raw);q=-1, \(car);q=0.1", .car(duplicates: false)),
            ("\(raw);q=1.001, \(car);q=0.1", .car(duplicates: false)),
            ("\(raw);nonsense, \(car)", .car(duplicates: false)),
            (",, ,\(raw)", .raw),
        ] as [(String, Outcome)]
    )
    func accept(field: String, outcome: Outcome) {
        #expect(Self.outcome("", field) == outcome)
    }

    @Test(
        "a request that names no format is refused with status 400",
        arguments: [
            nil, "", "*/*", "application/*", "text/html", "\(raw);q=0", "application/json",
            "application/vnd.ipfs.ipns-record", "application/vnd.ipld.raw2", "application/vnd.ipld",
        ]
    )
    func noFormat(field: String?) {
        #expect(Self.outcome("", field) == .refused(400))
    }

    @Test(
        "a form of a CAR that is not served is refused",
        arguments: [
            ("", "\(car);version=2", 406), ("", "\(car);order=rnd", 406),
            ("", "\(car);dups=maybe", 406), ("", "\(car);version=1;order=dfs;dups=", 406),
            ("?format=car", "\(car);version=2", 406), ("?format=car&car-version=2", nil, 400),
            ("?format=car&car-order=rnd", nil, 400), ("?format=car&car-dups=maybe", nil, 400),
            ("?car-version=2", car, 400), ("?format=car&car-version=2", "\(car);version=1", 400),
        ] as [(String, String?, Int)]
    )
    func unservedForms(query: String, field: String?, status: Int) {
        #expect(Self.outcome(query, field) == .refused(status))
    }

    @Test(
        "the address wins over Accept, and the parameters of Accept apply beside it",
        arguments: [
            ("?format=raw", car, .raw), ("?format=car", raw, .car(duplicates: false)),
            ("?format=RAW", nil, .raw), ("?format=raw", "nonsense", .raw),
            ("?format=car", "\(car);dups=y", .car(duplicates: true)),
            ("?format=car", "\(raw);q=1, \(car);dups=y;q=0.1", .car(duplicates: true)),
            ("?format=car&car-dups=n", "\(car);dups=y", .car(duplicates: false)),
            ("?format=car&car-dups=y", "\(car);dups=n", .car(duplicates: true)),
            ("?format=car&car-order=dfs", "\(car);order=unk", .car(duplicates: false)),
            ("?format=car&car-order=dfs", "\(car);order=rnd", .car(duplicates: false)),
            ("?format=car&car-version=1", "\(car);version=2", .car(duplicates: false)),
            ("?car-dups=y", car, .car(duplicates: true)),
            ("?car-dups=y", "\(car);dups=n", .car(duplicates: true)),
            ("?format=", raw, .raw), ("?format", car, .car(duplicates: false)),
        ] as [(String, String?, Outcome)]
    )
    func precedence(query: String, field: String?, outcome: Outcome) {
        #expect(Self.outcome(query, field) == outcome)
    }

    @Test(
        "formats that are not served, and contradictions, are refused with status 400",
        arguments: [
            "?format=ipns-record", "?format=dag-json", "?format=tar", "?format=nonsense",
            "?format=raw&format=car", "?format=car&dag-scope=all&dag-scope=block",
            "?format=car&car-dups=y&car-dups=n", "?format=car&dag-scope=some",
            "?format=car&dag-scope=ENTITY", "?format=car&dag-scope=block&entity-bytes=0:1",
            "?format=car&dag-scope=all&entity-bytes=0:1", "?format=car&entity-bytes=1",
            "?format=car&entity-bytes=a:b", "?format=car&entity-bytes=0:1:2",
            "?format=car&entity-bytes=*:1", "?format=car&entity-bytes=:5",
            "?format=car&entity-bytes=5:", "?format=car&entity-bytes=5:2",
            "?format=car&entity-bytes=-2:-5", "?format=car&entity-bytes=0:99999999999999999999",
            "?format=car&entity-bytes=%2b1:2", "?format=car&entity-bytes=0:1&entity-bytes=0:2",
        ]
    )
    func contradictions(query: String) {
        #expect(Self.outcome(query, nil) == .refused(400))
    }

    @Test("the same value twice is no contradiction")
    func repeated() {
        #expect(Self.outcome("?format=raw&format=raw", nil) == .raw)
    }

    @Test("a block with a path is refused")
    func blockWithPath() {
        #expect(Planning.refusal("/ipfs/\(Self.root)/a?format=raw") == 400)
        #expect(Planning.refusal("/ipfs/\(Self.root)/?format=raw") == nil)
    }

    @Test(
        "the scope and the bytes of a file are read",
        arguments: [
            ("", .all, nil), ("&dag-scope=all", .all, nil), ("&dag-scope=entity", .entity, nil),
            ("&dag-scope=block", .block, nil),
            ("&entity-bytes=0:*", .entity, EntityBytes(from: 0)),
            ("&dag-scope=entity&entity-bytes=-1024:*", .entity, EntityBytes(from: -1024)),
            ("&entity-bytes=499:-1000", .entity, EntityBytes(from: 499, to: -1000)),
            ("&entity-bytes=0:0", .entity, EntityBytes(from: 0, to: 0)),
            ("&entity-bytes=-9999:-3", .entity, EntityBytes(from: -9999, to: -3)),
            ("&entity-bytes=0%3A5", .entity, EntityBytes(from: 0, to: 5)),
        ] as [(String, DAGScope, EntityBytes?)]
    )
    func extent(query: String, scope: DAGScope, bytes: EntityBytes?) throws {
        let plan = try Planning.plan("/ipfs/\(Self.root)/a?format=car\(query)").car()
        #expect(plan.request.scope == scope)
        #expect(plan.request.entityBytes == bytes)
    }
}
