#if Cluster && Node
    /// An operation of a client on a key, as the client saw it.
    struct HistoryOperation: Sendable, CustomStringConvertible {
        /// What the client asks for.
        enum Action: Hashable, Sendable {
            /// A shard of a CAR under the key.
            case register(String)
            /// No shard under the key.
            case destroy
            /// The CAR of the key's shard.
            case read
        }

        /// What the client heard.
        enum Outcome: Hashable, Sendable {
            /// The change was made.
            case done
            /// The key had a shard at a registration, or none at a destruction.
            case refused
            /// The CAR; nil if the key has no shard.
            case found(String?)
            /// No answer: the change was made, is on its way, or never happens.
            case unknown
        }

        /// The client.
        let client: String
        /// The key.
        let key: String
        /// What the client asked for.
        let action: Action
        /// The moment before the call.
        let invoked: Int
        /// The moment after the call.
        let returned: Int
        /// What the client heard.
        let outcome: Outcome

        var description: String {
            let end = outcome == .unknown ? "…" : "\(returned)"
            return "\(invoked)..\(end) \(client): \(action) \(key) -> \(outcome)"
        }

        /// The state of the key after the operation takes effect; nil if the outcome contradicts the state before it.
        func next(_ state: KeyState) -> KeyState? {
            switch (action, outcome) {
            case (.register(let car), .done): state.car == nil ? KeyState(car: car) : nil
            case (.register(let car), .unknown): KeyState(car: state.car ?? car)
            case (.register, .refused): state.car == nil ? nil : state
            case (.destroy, .done): state.car == nil ? nil : KeyState(car: nil)
            case (.destroy, .unknown): KeyState(car: nil)
            case (.destroy, .refused): state.car == nil ? state : nil
            case (.read, .found(let car)): state.car == car ? state : nil
            case (.read, .unknown): state
            case (.register, .found), (.destroy, .found), (.read, .done), (.read, .refused): nil
            }
        }
    }

    /// The truth about a key.
    struct KeyState: Hashable, Sendable {
        /// The CAR of its shard; nil if it has none.
        var car: String?
    }
#endif
