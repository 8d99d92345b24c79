/// The networks that a client may reach: the URL of a CAR must not open a way into the node's own network.
///
/// The client applies the policy to the host of a URL, to each redirect, and to the address of each connection, so a
/// name that resolves to an address of the node's network is refused too.
package enum TargetPolicy: Sendable {
    /// The Internet only.
    case global
    /// Also this machine and the organization's network, but not the link.
    case local
    /// Everything, for the metadata service of a cloud.
    case all

    /// Checks the host of a URL.
    ///
    /// - Throws: `.targetRefused`.
    package func check(_ url: ObjectURL) throws(ObjectStorageError) {
        let host = url.origin.host
        if let address = NetworkAddress(host) {
            guard permits(address) else { throw refusal(url) }
            return
        }
        var name = host[...]
        while name.hasSuffix(".") { name = name.dropLast() }
        let isThisMachine = name == "localhost" || name.hasSuffix(".localhost")
        guard self != .global || !isThisMachine else { throw refusal(url) }
    }

    /// Returns whether a client may connect to `address`.
    package func permits(_ address: NetworkAddress) -> Bool {
        switch (self, address.network) {
        case (.all, _), (_, .global), (.local, .local): true
        default: false
        }
    }

    private func refusal(_ url: ObjectURL) -> ObjectStorageError {
        ObjectStorageError(
            .targetRefused,
            "open: \(url): the address belongs to a network that is not permitted; allow private networks to reach it"
        )
    }
}
