#if Node
    internal import DAGMounts
    internal import Dispatch
    internal import ObjectStorage
    internal import SharedReads

    /// One walk over the section headers of a remote CAR.
    ///
    /// `ScanPlan` says what to ask for; this type asks. All requests are of the class `index`, so readers of blocks and
    /// whole copies find connections beside any number of scans. The bytes go to no cache: a scan reads each byte once,
    /// and would only push out what readers use.
    ///
    /// *Memory*: the windows ahead of the walk, or `ScanStream.bufferSizeMax`. *Concurrency*: see `HeaderScan`.
    final class RemoteScan: HeaderScan {
        private struct State {
            var windows: ScanWindows
            var tasks: [UInt64: OwnedTask<Void>] = [:]
            var tasksSeen: UInt64 = 0
            var stream: ScanStream?
            var reader: DispatchSemaphore?
            var isCancelled = false
            var hasAskedForIndex = false
        }

        private let object: RemoteObject
        private let stat: ObjectStat
        private let places: ScanPlaces
        private let state: Lock<State>
        private let clock = ContinuousClock()

        /// Creates a scan.
        ///
        /// - Parameters:
        ///   - object: The object.
        ///   - stat: The version.
        ///   - places: The places of the CAR's parts.
        ///   - first: The first bytes of the object, which the opening read.
        init(_ object: RemoteObject, _ stat: ObjectStat, _ places: ScanPlaces, first: [UInt8]) {
            self.object = object
            self.stat = stat
            self.places = places
            let plan = ScanPlan(
                payload: places.payload,
                start: places.start,
                requestsAtOnce: object.remote.client.requestsAtOnce,
                fixed: object.remote.options.scanMeasures
            )
            let known = first.prefix(Int(clamping: places.payload.upperBound))
            state = Lock(State(windows: ScanWindows(plan, first: Array(known))))
        }

        deinit { cancel() }

        func cancel() {
            let (reader, stream, tasks) = state.withLock { state in
                state.isCancelled = true
                defer { (state.reader, state.stream, state.tasks) = (nil, nil, [:]) }
                return (state.reader, state.stream, state.tasks)
            }
            reader?.signal()
            stream?.cancel()
            for task in tasks.values { task.cancel() }
        }

        func bytes(
            at offset: UInt64,
            needs size: Int,
            after sections: UInt64
        ) throws(MountError) -> ArraySlice<UInt8> {
            let (stream, window) = state.withLock { state in
                guard !state.isCancelled else { return (nil as ScanStream?, 0) }
                if let measures = state.stream?.measures {
                    state.windows.plan.setMeasures(measures)
                }
                state.windows.arrive(at: offset, needs: UInt64(size), sections: sections)
                return (chooseWay(offset, &state), state.windows.plan.streamWindow)
            }
            if let stream {
                return try stream.bytes(at: offset, needs: size, upTo: max(size, window))
            }
            return try waitForWindow(offset, size)
        }

        /// Begins or ends the stream.
        ///
        /// - Returns: The stream; nil if windows bring the bytes.
        private func chooseWay(_ offset: UInt64, _ state: inout State) -> ScanStream? {
            guard state.windows.plan.way == .stream else {
                state.stream?.cancel()
                state.stream = nil
                return nil
            }
            if let stream = state.stream { return stream }
            // Requests for windows that still run are small, and end soon.
            let stream = ScanStream(object, stat, offset..<places.payload.upperBound)
            state.stream = stream
            return stream
        }

        // MARK: Windows

        private func waitForWindow(
            _ offset: UInt64,
            _ size: Int
        ) throws(MountError) -> ArraySlice<UInt8> {
            while true {
                let bell = DispatchSemaphore(value: 0)
                let answer = state.withLock { state -> Result<ArraySlice<UInt8>, MountError>? in
                    guard !state.isCancelled else {
                        return .failure(MountError(.cancelled, "scan: \(object.url): cancelled"))
                    }
                    sendRequests(&state)
                    let answer = state.windows.answer(at: offset, needs: size)
                    if answer == nil { state.reader = bell }
                    return answer
                }
                switch answer {
                case .success(let bytes): return bytes
                case .failure(let error): throw error
                case nil: bell.wait()
                }
            }
        }

        private func sendRequests(_ state: inout State) {
            for window in state.windows.plan.nextRequests() {
                let start = clock.now
                run(&state) { scan in
                    let outcome = await scan.read(window)
                    let seconds = start.duration(to: scan.clock.now).seconds
                    scan.update { $0.windows.finish(window, outcome, seconds: seconds) }
                }
            }
            if let sample = state.windows.plan.nextSample() {
                run(&state) { scan in
                    let bandwidth = await scan.measure(sample)
                    scan.update { $0.windows.plan.finishSample(bandwidth: bandwidth) }
                }
            }
            let wantsHints =
                state.windows.plan.wantsHints
                || (places.index != nil && state.windows.plan.readsHeaders)
            if !state.hasAskedForIndex, wantsHints {
                state.hasAskedForIndex = true
                run(&state) { scan in
                    guard let hints = await scan.readHints() else { return }
                    scan.update { $0.windows.plan.setHints(hints) }
                }
            }
        }

        /// Starts a task that ends with the scan.
        private func run(
            _ state: inout State,
            _ body: @escaping @Sendable (RemoteScan) async -> Void
        ) {
            state.tasksSeen += 1
            let number = state.tasksSeen
            state.tasks[number] = OwnedTask { [weak self] in
                guard let self else { return }
                await body(self)
                self.state.withLock { $0.tasks[number] = nil }
            }
        }

        private func read(_ window: Range<UInt64>) async -> Result<[UInt8], MountError> {
            do {
                let bytes = try await MountError.translating {
                    object.remote.learn(.refused, of: object.url)
                } _: {
                    try await object.remote.client.read(object.target, of: stat, .index) { window }
                }
                return .success(bytes)
            } catch {
                return .failure(MountError(scan: error))
            }
        }

        /// Changes the state, sends what the plan wants then, and wakes the reader.
        private func update(_ change: (inout State) -> Void) {
            let reader = state.withLock { state in
                guard !state.isCancelled else { return nil as DispatchSemaphore? }
                change(&state)
                sendRequests(&state)
                defer { state.reader = nil }
                return state.reader
            }
            reader?.signal()
        }

        // MARK: Samples and hints

        /// Reads bytes for their rate alone.
        ///
        /// - Returns: The bytes a second; nil if the request failed.
        private func measure(_ sample: Range<UInt64>) async -> Double? {
            var meter = RateMeter()
            let start = clock.now
            do {
                try await object.remote.client.stream(
                    object.target,
                    of: stat,
                    .index,
                    range: sample
                ) { meter.record($0.count, at: start.duration(to: clock.now).seconds) }
            } catch {
                return nil
            }
            return meter.bandwidth ?? Double(sample.count) / start.duration(to: clock.now).seconds
        }

        /// Reads the offsets of an index that exists: the CAR's own, or `<url>.idx` beside it.
        ///
        /// - Returns: The hints; nil if there is no index, or none that is of use.
        private func readHints() async -> SectionHints? {
            do {
                guard let index = places.index else {
                    guard let beside = object.beside else { return nil }
                    let (stat, _) = try await object.remote.client.probe(beside, size: 1, .index)
                    guard stat.ranges == .proven, let size = stat.size else { return nil }
                    return try await readHints(beside, stat, 0..<size)
                }
                return try await readHints(object.target, stat, index)
            } catch {
                return nil
            }
        }

        private func readHints(
            _ target: ObjectTarget,
            _ stat: ObjectStat,
            _ index: Range<UInt64>
        ) async throws -> SectionHints? {
            // The index is small beside sections that are worth a request each.
            guard index.count <= places.payload.count / Int(ScanPlan.sampleShare) else {
                return nil
            }
            var reader = IndexOffsetReader()
            try await object.remote.client.stream(target, of: stat, .index, range: index) {
                try reader.append($0)
            }
            guard reader.isComplete else { return nil }
            let size = UInt64(places.payload.count)
            guard reader.offsets.allSatisfy({ $0 < size }) else { return nil }
            return SectionHints(reader.offsets.map { $0 + places.payload.lowerBound })
        }
    }

    extension MountError {
        /// Creates the error of a scan for any error of a request.
        fileprivate init(scan error: any Error) {
            switch error {
            case let error as MountError: self = error
            case is CancellationError: self.init(.cancelled, "scan: cancelled")
            default: self.init(.unreachable, "scan: \(error)")
            }
        }
    }
#endif
