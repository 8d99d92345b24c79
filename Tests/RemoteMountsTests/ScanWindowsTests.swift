import DAGMounts
import Testing

@testable import RemoteMounts

/// The bytes of windows and their failures, step by step.
@Suite("Scan windows")
struct ScanWindowsTests {
    private static let start: UInt64 = 59
    private static let size: UInt64 = 50_000
    private static let gone = MountError(.gone, "the object is gone")

    /// A scan whose walk has passed sections of one size and stands at the third header.
    private struct Walk {
        var windows: ScanWindows
        /// The request for the place where the fourth header probably is.
        var guess: Range<UInt64> = 0..<0

        init() throws {
            let end = ScanWindowsTests.start + 40 * ScanWindowsTests.size
            windows = ScanWindows(
                ScanPlan(
                    payload: 0..<end,
                    start: ScanWindowsTests.start,
                    requestsAtOnce: 8,
                    fixed: .rangesOnly
                ),
                first: [UInt8](repeating: 0, count: 4096)
            )
            let place = ScanWindowsTests.start + 3 * ScanWindowsTests.size
            var running: [Range<UInt64>] = []
            for index in 0..<3 as Range<UInt64> {
                let offset = ScanWindowsTests.start + index * ScanWindowsTests.size
                windows.arrive(at: offset, needs: 40, sections: index)
                running += windows.plan.nextRequests()
                for window in running where window.lowerBound < place { finish(window) }
                running.removeAll { $0.lowerBound < place }
                #expect(count(at: offset) != nil)
            }
            guess = try #require(running.first { $0.lowerBound == place })
        }

        mutating func finish(_ window: Range<UInt64>) {
            let bytes = [UInt8](repeating: 0, count: window.count)
            windows.finish(window, .success(bytes), seconds: 0.01)
        }

        mutating func fail(_ window: Range<UInt64>) {
            windows.finish(window, .failure(ScanWindowsTests.gone), seconds: 0.01)
        }

        /// The number of bytes that are there from `offset` on.
        func count(at offset: UInt64, needs size: Int = 40) -> Int? {
            guard case .success(let bytes) = windows.answer(at: offset, needs: size) else {
                return nil
            }
            return bytes.count
        }

        func failure(at offset: UInt64) -> MountError? {
            guard case .failure(let error) = windows.answer(at: offset, needs: 40) else {
                return nil
            }
            return error
        }
    }

    @Test("the walk gets the failure of the window it stands in", arguments: [0, 1, 100, 472])
    func failure(distance: UInt64) throws {
        var walk = try Walk()
        let header = walk.guess.lowerBound + distance
        walk.windows.arrive(at: header, needs: 40, sections: 3)
        #expect(walk.windows.answer(at: header, needs: 40) == nil)
        walk.fail(walk.guess)
        #expect(walk.failure(at: header)?.code == .gone)
        // A walk that asks again gets another request.
        walk.windows.arrive(at: header, needs: 40, sections: 3)
        #expect(walk.failure(at: header) == nil)
        let again = try #require(walk.windows.plan.nextRequests().first)
        #expect(again.lowerBound == header)
        walk.finish(again)
        #expect(walk.count(at: header) == again.count)
    }

    @Test("a guess that fails before the walk arrives is asked for again")
    func earlyFailure() throws {
        var walk = try Walk()
        walk.fail(walk.guess)
        let header = walk.guess.lowerBound + 100
        walk.windows.arrive(at: header, needs: 40, sections: 3)
        #expect(walk.failure(at: header) == nil)
        let again = try #require(walk.windows.plan.nextRequests().first)
        #expect(again.lowerBound == header)
        walk.fail(again)
        #expect(walk.failure(at: header)?.code == .gone)
    }

    @Test("of two windows that begin together, the late shorter one takes nothing away")
    func lateAnswer() throws {
        var walk = try Walk()
        let header = walk.guess.lowerBound
        walk.windows.arrive(at: header, needs: 600, sections: 3)
        let long = try #require(walk.windows.plan.nextRequests().first)
        #expect(long.lowerBound == header && long.count > walk.guess.count)
        walk.finish(long)
        walk.finish(walk.guess)
        #expect(walk.count(at: header, needs: 600) == long.count)
    }

    @Test("of two windows that begin together, the failure of the longer one arrives")
    func longFailure() throws {
        var walk = try Walk()
        let header = walk.guess.lowerBound
        walk.windows.arrive(at: header, needs: 600, sections: 3)
        let long = try #require(walk.windows.plan.nextRequests().first)
        walk.finish(walk.guess)
        #expect(walk.count(at: header, needs: 600) == nil)
        walk.fail(long)
        #expect(walk.failure(at: header)?.code == .gone)
    }

    @Test("an answer with too few bytes is a failure")
    func shortAnswer() throws {
        var walk = try Walk()
        walk.windows.arrive(at: walk.guess.lowerBound, needs: 40, sections: 3)
        walk.windows.finish(walk.guess, .success([1, 2, 3]), seconds: 0.01)
        #expect(walk.failure(at: walk.guess.lowerBound)?.code == .shortRead)
    }
}
