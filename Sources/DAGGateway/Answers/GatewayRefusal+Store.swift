#if Node
    internal import DAGStorage
    internal import GatewayRequests

    extension GatewayRefusal {
        /// Creates the refusal for an error of the store; any other error is a fault of this gateway.
        init(storeError error: any Error) {
            guard let error = error as? DAGStoreError else {
                self.init(500, "The gateway failed")
                return
            }
            let status = Self.status(of: error.code)
            // What is wrong inside is for the log, and not for the client.
            let message = status >= 500 && status != 501 ? Self.summary(of: status) : error.message
            let isBusy = status == 503
            self.init(
                status,
                message,
                fields: isBusy ? [GatewayField(.retryAfter, "1")] : []
            )
        }

        /// The status of an error, by its family.
        private static func status(of code: DAGStoreError.Code) -> Int {
            switch code {
            case .shardUnknown, .blockNotFound, .pathNotFound: return 404
            case .pathNotALink: return 501
            case .fetchTimedOut, .deadlineExceeded: return 504
            case .outOfResources, .tooManyReaders, .closed, .cancelled, .catalogUnreachable:
                return 503
            case .shardExists, .shardInUse, .notFailed: return 409
            default: break
            }
            switch code.exitStatus {
            case 2: return 400
            case 3: return 404
            case 4, 5: return 502
            default: return 500
            }
        }

        private static func summary(of status: Int) -> String {
            switch status {
            case 502: "The source of the content failed, or its bytes are wrong"
            case 503: "The store cannot be read now"
            case 504: "The source of the content took too long"
            default: "The gateway failed"
            }
        }
    }
#endif
