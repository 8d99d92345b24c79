#if Node
    internal import DAGSystem
    internal import NIOCore

    extension Channel {
        /// Lets the next close reset the connection, so that the client does not take a part for the whole.
        func resetAtClose() {
            guard let socket = self as? any SocketOptionProvider else { return }
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
    }
#endif
