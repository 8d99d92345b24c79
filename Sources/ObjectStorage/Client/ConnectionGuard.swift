#if Node
    internal import NIOCore

    /// The check of each new connection's address, before the first request is sent over it.
    ///
    /// A host name may resolve to an address that the policy refuses, and to another one at the next resolution. So the
    /// check looks at the address that the connection has, not at one of its own resolution.
    enum ConnectionGuard {
        /// The policy refused the address of a connection.
        struct Refusal: Error {}

        /// Checks a connection.
        ///
        /// - Returns: A future that fails with `Refusal` if the policy refuses the address.
        static func check(_ channel: any Channel, _ policy: TargetPolicy) -> EventLoopFuture<Void> {
            guard let text = channel.remoteAddress?.ipAddress, let address = NetworkAddress(text),
                policy.permits(address)
            else {
                // The client forgets a connection that could not be made, and leaves its end to this code.
                let future: EventLoopFuture<Void> = channel.eventLoop.makeFailedFuture(Refusal())
                future.whenComplete { _ in channel.close(promise: nil) }
                return future
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
    }
#endif
