#if Node
    internal import DAGMounts
    internal import ObjectStorage
    internal import SharedReads

    /// One version of a remote object, read by ranges.
    ///
    /// A read takes its bytes from the memory, from the disk's cache, from requests that are under way, and asks for
    /// the rest. A request waits for a connection of its host; until it has one, reads of neighboring bytes join it.
    ///
    /// *Concurrency*: any number of tasks may read.
    final class RangeSource: RandomSource, VersionedSource {
        /// The largest read, in bytes.
        static let readSizeMax = 1 << 30
        /// The most requests ahead of the readers; further guesses are dropped.
        static let guessesMax = 64
        /// The most bytes that wait for the disk.
        static let writingSizeMax = 16 << 20

        /// A request: the range may grow until the request begins.
        private struct Request {
            var range: Range<UInt64>
            var hasBegun = false
            var isGuess: Bool
            var reserved = 0
            /// The number of the task that may begin the request; an earlier one gives it up.
            var attempt = 0
            var task: OwnedTask<Void>?
            let answer: SharedAnswer
        }

        private struct State {
            var ahead: ReadAhead
            var requests: [UInt64: Request] = [:]
            var requestsSeen: UInt64 = 0
            var isClosed = false
            var writers: [UInt64: OwnedTask<Void>] = [:]
            var writingSize = 0
        }

        let size: UInt64
        let object: RemoteObject
        let stat: ObjectStat
        var validator: String? { stat.version.validator }
        let key: CacheKey
        private let state: Lock<State>
        private var options: RemoteOptions { object.remote.options }

        /// Creates a source.
        ///
        /// - Parameters:
        ///   - object: The object.
        ///   - stat: The version.
        ///   - size: Its size.
        ///   - first: Its first bytes, which the opening read.
        init(_ object: RemoteObject, _ stat: ObjectStat, size: UInt64, first: [UInt8]) {
            self.size = size
            self.object = object
            self.stat = stat
            key = object.remote.cacheKey(object.url, stat)
            state = Lock(
                State(ahead: ReadAhead(size: size, sizeMax: object.remote.readAheadMax))
            )
            object.remote.memory.insert(first, key, at: 0)
        }

        func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
            guard offset < self.size, size > 0 else { return [] }
            guard size <= Self.readSizeMax else {
                throw MountError(.outOfResources, "read: \(object.url): \(size) bytes at once")
            }
            let range = offset..<min(offset + UInt64(size), self.size)
            var answer = Assembly(range)
            object.remote.memory.read(key, into: &answer)
            if !answer.gaps.isEmpty, object.disk != nil {
                answer = try await readDisk(answer)
            }
            for waiting in try ask(for: answer.gaps, of: range) {
                let part = try await waiting.value
                answer.add(part.bytes[...], at: part.start)
            }
            guard answer.gaps.isEmpty else {
                throw MountError(.shortRead, "read: \(object.url): bytes are missing")
            }
            return answer.bytes
        }

        func close() {
            let tasks = state.withLock { state in
                state.isClosed = true
                return state.requests.values.compactMap { $0.task } + Array(state.writers.values)
            }
            for task in tasks { task.cancel() }
        }

        /// Whether no request is under way, and the disk has all that it will get.
        var isIdle: Bool { state.withLock { $0.requests.isEmpty && $0.writers.isEmpty } }

        private func readDisk(_ answer: Assembly) async throws -> Assembly {
            let remote = object.remote
            let disk = object.disk
            let key = key
            return try await remote.diskThreads.run {
                var answer = answer
                let missing = answer.gaps
                disk?.read(key, into: &answer)
                for gap in missing where answer.gaps.allSatisfy({ !$0.overlaps(gap) }) {
                    let first = Int(gap.lowerBound - answer.range.lowerBound)
                    let bytes = Array(answer.bytes[first..<first + gap.count])
                    remote.memory.insert(bytes, key, at: gap.lowerBound)
                }
                return answer
            }
        }

        // MARK: Requests

        /// Returns the requests that bring the bytes of `gaps`, and asks ahead of the reader.
        private func ask(
            for gaps: [Range<UInt64>],
            of range: Range<UInt64>
        ) throws -> [SharedAnswer] {
            let guesses = missingGuesses(after: range)
            var unused = 0
            defer { object.remote.releaseGuess(unused) }
            return try state.withLock { state in
                guard !state.isClosed else {
                    unused = guesses.reduce(0) { $0 + $1.count }
                    throw MountError(.cancelled, "read: \(object.url): the source is closed")
                }
                var waiting: [UInt64] = []
                for gap in gaps { _ = add(gap, isGuess: false, to: &state, &waiting) }
                let needed = Set(waiting)
                for number in needed { unused += promote(number, &state) }
                let guessCount = state.requests.values.count { $0.isGuess }
                for (index, guess) in guesses.enumerated() {
                    let hasRoom = guessCount + index < Self.guessesMax
                    let used =
                        hasRoom ? add(guess, isGuess: true, to: &state, &waiting) : 0
                    unused += guess.count - used
                }
                return needed.compactMap { state.requests[$0]?.answer }
            }
        }

        /// Returns the ranges to read ahead that no cache has, as far as there is room for them.
        private func missingGuesses(after range: Range<UInt64>) -> [Range<UInt64>] {
            let remote = object.remote
            var missing: [Range<UInt64>] = []
            for guess in state.withLock({ $0.ahead.ranges(after: range) }) {
                for gap in remote.memory.missing(key, in: guess) {
                    missing += object.disk?.missing(key, in: gap) ?? [gap]
                }
            }
            return missing.filter { remote.reserveGuess($0.count) }
        }

        /// Finds or makes the requests that bring the bytes of a range.
        ///
        /// - Returns: The bytes that no request brought before.
        private func add(
            _ range: Range<UInt64>,
            isGuess: Bool,
            to state: inout State,
            _ waiting: inout [UInt64]
        ) -> Int {
            var rest = [range]
            for (number, request) in state.requests {
                guard rest.contains(where: { $0.overlaps(request.range) }) else { continue }
                waiting.append(number)
                rest = rest.flatMap { Self.remove(request.range, from: $0) }
            }
            for part in rest.flatMap({ Self.pieces(of: $0, sizeMax: options.readAheadMax) }) {
                if let number = neighbor(of: part, isGuess: isGuess, state) {
                    let old = state.requests[number]?.range ?? part
                    state.requests[number]?.range =
                        min(old.lowerBound, part.lowerBound)..<max(old.upperBound, part.upperBound)
                    waiting.append(number)
                } else {
                    waiting.append(begin(part, isGuess: isGuess, &state))
                }
                // A request ends with what its guesses reserved.
                if isGuess, let last = waiting.last { state.requests[last]?.reserved += part.count }
            }
            return rest.reduce(0) { $0 + $1.count }
        }

        /// Returns a request that has not begun and can bring a range too.
        private func neighbor(of part: Range<UInt64>, isGuess: Bool, _ state: State) -> UInt64? {
            state.requests.first { _, request in
                guard !request.hasBegun, request.isGuess == isGuess else { return false }
                let low = min(request.range.lowerBound, part.lowerBound)
                let high = max(request.range.upperBound, part.upperBound)
                let useful = UInt64(request.range.count + part.count)
                let span = high - low
                // The bytes between the two are at most as many as the bytes that are useful.
                return span <= options.sharedReadMax && span <= 2 * useful
                    && span - min(span, useful) <= options.gapMax
            }?.key
        }

        private func begin(_ range: Range<UInt64>, isGuess: Bool, _ state: inout State) -> UInt64 {
            state.requestsSeen += 1
            let number = state.requestsSeen
            state.requests[number] = Request(range: range, isGuess: isGuess, answer: SharedAnswer())
            state.requests[number]?.task = OwnedTask { [self] in await run(number, attempt: 0) }
            return number
        }

        /// Takes a guess that waits for a connection out of the queue of its class: a reader waits for it now.
        ///
        /// - Returns: The bytes that the guess had reserved.
        private func promote(_ number: UInt64, _ state: inout State) -> Int {
            guard var request = state.requests[number], request.isGuess, !request.hasBegun else {
                return 0
            }
            defer { state.requests[number] = request }
            let reserved = request.reserved
            request.isGuess = false
            request.reserved = 0
            request.attempt += 1
            request.task?.cancel()
            let attempt = request.attempt
            request.task = OwnedTask { [self] in await run(number, attempt: attempt) }
            return reserved
        }

        private func run(_ number: UInt64, attempt: Int) async {
            var start: UInt64 = 0
            do {
                // A guess must not take the connections of readers who wait.
                let kind =
                    state.withLock { $0.requests[number]?.isGuess ?? false }
                    ? RequestClass.index : .read
                let bytes = try await MountError.translating {
                    // The next opening copies the object.
                    object.remote.learn(.refused, of: object.url)
                } _: {
                    try await object.remote.client.read(object.target, of: stat, kind) {
                        let range = try freeze(number, attempt)
                        start = range.lowerBound
                        return range
                    }
                }
                object.remote.memory.insert(bytes, key, at: start)
                store(bytes, at: start)
                let part = SharedAnswer.Part(start: start, bytes: bytes)
                finish(number)?.answer.deliver(.success(part))
            } catch {
                let isLast = state.withLock { $0.requests[number]?.attempt == attempt }
                if isLast { finish(number)?.answer.deliver(.failure(error)) }
            }
        }

        /// Ends the growth of a request.
        ///
        /// - Throws: `CancellationError` if another task begins the request.
        private func freeze(_ number: UInt64, _ attempt: Int) throws -> Range<UInt64> {
            try state.withLock { state in
                guard let request = state.requests[number], request.attempt == attempt else {
                    throw CancellationError()
                }
                state.requests[number]?.hasBegun = true
                return request.range
            }
        }

        @discardableResult
        private func finish(_ number: UInt64) -> Request? {
            let request = state.withLock { $0.requests.removeValue(forKey: number) }
            object.remote.releaseGuess(request?.reserved ?? 0)
            return request
        }

        /// Writes bytes to the disk's cache; a reader does not wait for it.
        private func store(_ bytes: [UInt8], at start: UInt64) {
            let remote = object.remote
            guard let disk = object.disk, stat.version.validator != nil else { return }
            state.withLock { state in
                // While the disk is slow, bytes are not stored instead of kept in memory.
                guard !state.isClosed, state.writingSize + bytes.count <= Self.writingSizeMax else {
                    return
                }
                state.writingSize += bytes.count
                state.requestsSeen += 1
                let number = state.requestsSeen
                let key = key
                state.writers[number] = OwnedTask { [weak self] in
                    try await remote.diskThreads.run { disk.insert(bytes, key, at: start) }
                    self?.state.withLock { state in
                        state.writers[number] = nil
                        state.writingSize -= bytes.count
                    }
                }
            }
        }

        // MARK: Ranges

        private static func remove(
            _ other: Range<UInt64>,
            from range: Range<UInt64>
        ) -> [Range<UInt64>] {
            guard range.overlaps(other) else { return [range] }
            var rest: [Range<UInt64>] = []
            if range.lowerBound < other.lowerBound {
                rest.append(range.lowerBound..<other.lowerBound)
            }
            if range.upperBound > other.upperBound {
                rest.append(other.upperBound..<range.upperBound)
            }
            return rest
        }

        private static func pieces(of range: Range<UInt64>, sizeMax: UInt64) -> [Range<UInt64>] {
            var pieces: [Range<UInt64>] = []
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + max(sizeMax, 1), range.upperBound)
                pieces.append(start..<end)
                start = end
            }
            return pieces
        }
    }

    /// The answer to a request that several reads wait for.
    ///
    /// *Concurrency*: any thread.
    final class SharedAnswer: Sendable {
        /// Some bytes and their offset.
        struct Part: Sendable {
            let start: UInt64
            let bytes: [UInt8]
        }

        typealias Answer = Result<Part, any Error>

        private struct State {
            var answer: Answer?
            var waiters: [CheckedContinuation<Part, any Error>] = []
        }

        private let state = Lock(State())

        /// Delivers the answer; there is one.
        func deliver(_ answer: Answer) {
            let waiters = state.withLock { state in
                state.answer = answer
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(with: answer) }
        }

        /// The answer; the task waits for it, even if it is cancelled.
        var value: Part {
            get async throws {
                try await withCheckedThrowingContinuation { continuation in
                    let answer = state.withLock { state in
                        if state.answer == nil { state.waiters.append(continuation) }
                        return state.answer
                    }
                    if let answer { continuation.resume(with: answer) }
                }
            }
        }
    }
#endif
