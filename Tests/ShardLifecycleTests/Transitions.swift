/// The table of the lifecycle, written by hand and not from the source.
///
/// A line has the state and what must hold of it, the events, the state after them, the effects.
/// `j` is the job of the state, `x` another one, `n` the number that comes with the event. After
/// the state may stand `leased` or `free`, `sparing` (`recoversOnAcquire`) or `strict`; without them it
/// is for both. After the next state stands what became of the leases and of the flag, if they
/// changed. Among the effects `#` is a commit, `!` an announcement, and `part` is `failParked`.
/// Every case matches one line and no more.
enum Transitions {
    static let text = """
        absent               | register-later     | registered      | #insert !register complete
        absent | register-now | initializing(n) | #insert !register !initialize start(n) park
        absent          | initialize acquire retry recover destroy | absent | reject-unknown
        absent          | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | absent |
        absent          | opened(j) opened(x) openingFailed(j) openingFailed(x) | absent |
        absent               | abandoned(j) abandoned(x) sourceLost evict | absent          |
        absent               | resume-initializing resume-recovering | absent          |

        registered           | register-later register-now | registered      | reject-exists
        registered | initialize acquire retry | initializing(n) | #update !initialize start(n) park
        registered           | recover            | registered      | reject-notFailed
        registered           | destroy            | absent          | #remove !destroy complete
        registered      | resume-initializing | initializing(n) | !register !initialize start(n)
        registered           | resume-recovering  | registered      |
        registered      | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | registered |
        registered      | opened(j) opened(x) openingFailed(j) openingFailed(x) | registered |
        registered           | abandoned(j) abandoned(x) sourceLost evict | registered      |

        initializing(j)      | register-later register-now | initializing(j) | reject-exists
        initializing(j)      | initialize acquire retry | initializing(j) | park
        initializing(j)      | recover            | initializing(j) | reject-notFailed
        initializing(j) | destroy | absent | cancel(j) #remove !destroy part-destroyed complete
        initializing(j) | indexed(j) | available | #publish !makeAvailable retryParked
        initializing(j) | indexingFailed(j) | failed | #update !fail part-failed
        initializing(j)      | abandoned(j)       | registered      | part-abandoned
        initializing(j)      | indexed(x) indexingFailed(x) abandoned(x) | initializing(j) |
        initializing(j) | opened(j) opened(x) openingFailed(j) openingFailed(x) | initializing(j) |
        initializing(j) | sourceLost evict resume-initializing resume-recovering | initializing(j) |

        available            | register-later register-now | available       | reject-exists
        available            | initialize         | available       | complete
        available            | acquire retry      | opening(n)      | open(n) park
        available            | recover            | available       | reject-notFailed
        available free       | destroy            | absent          | #remove !destroy complete
        available leased     | destroy            | available       | reject-inUse
        available leased     | release            | available -1    | !release
        available            | sourceLost         | failed          | #update !fail
        available       | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | available |
        available       | opened(j) opened(x) openingFailed(j) openingFailed(x) | available |
        available            | abandoned(j) abandoned(x) evict | available       |
        available            | resume-initializing resume-recovering | available       |

        opening(j)           | register-later register-now | opening(j)      | reject-exists
        opening(j)           | initialize         | opening(j)      | complete
        opening(j)           | acquire retry      | opening(j)      | park
        opening(j)           | recover            | opening(j)      | reject-notFailed
        opening(j)           | destroy            | opening(j)      | reject-inUse
        opening(j) leased    | release            | opening(j) -1   | !release
        opening(j)           | opened(j)          | open            | retryParked
        opening(j)      | openingFailed(j) | failed | #update !fail part-failed
        opening(j)           | abandoned(j)       | available       | part-abandoned
        opening(j)           | opened(x) openingFailed(x) abandoned(x) | opening(j)      |
        opening(j)      | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | opening(j) |
        opening(j)      | sourceLost evict resume-initializing resume-recovering | opening(j) |

        open                 | register-later register-now | open            | reject-exists
        open                 | initialize         | open            | complete
        open                 | acquire retry      | open +1         | !acquire grant
        open                 | recover            | open            | reject-notFailed
        open free       | destroy | absent | close #remove !destroy complete
        open leased          | destroy            | open            | reject-inUse
        open leased          | release            | open -1         | !release
        open                 | sourceLost         | failed          | close #update !fail
        open free            | evict              | available       | close
        open leased          | evict              | open            |
        open            | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | open |
        open            | opened(j) opened(x) openingFailed(j) openingFailed(x) | open |
        open            | abandoned(j) abandoned(x) resume-initializing resume-recovering | open |

        recovering(j)        | register-later register-now | recovering(j)   | reject-exists
        recovering(j)        | initialize acquire retry | recovering(j)   | park
        recovering(j)        | recover            | recovering(j)   | reject-notFailed
        recovering(j) free | destroy | absent | cancel(j) #remove !destroy part-destroyed complete
        recovering(j) leased | destroy            | recovering(j)   | reject-inUse
        recovering(j) leased | release            | recovering(j) -1 | !release
        recovering(j)   | indexed(j) | available | #publish !makeAvailable retryParked
        recovering(j)   | indexingFailed(j) | failed | #update !fail part-failed
        recovering(j)        | abandoned(j)       | failed          | part-abandoned
        recovering(j)        | indexed(x) indexingFailed(x) abandoned(x) | recovering(j)   |
        recovering(j)   | opened(j) | available | #update !makeAvailable retryParked
        recovering(j)   | opened(x) openingFailed(j) openingFailed(x) | recovering(j) |
        recovering(j)   | sourceLost evict resume-initializing resume-recovering | recovering(j) |

        failed               | register-later register-now | failed          | reject-exists
        failed               | initialize         | failed          | reject-failed
        failed               | retry              | failed          | !acquire reject-failed
        failed strict        | acquire            | failed          | !acquire reject-failed
        failed sparing  | acquire | recovering(n) strict | #update !recover start(n) park
        failed               | recover            | recovering(n)   | #update !recover start(n) park
        failed free          | destroy            | absent          | #remove !destroy complete
        failed leased        | destroy            | failed          | reject-inUse
        failed leased        | release            | failed -1       | !release
        failed               | resume-recovering  | recovering(n)   | !recover start(n)
        failed               | resume-initializing | failed          |
        failed          | indexed(j) indexed(x) indexingFailed(j) indexingFailed(x) | failed |
        failed          | opened(j) opened(x) openingFailed(j) openingFailed(x) | failed |
        failed               | abandoned(j) abandoned(x) sourceLost evict | failed          |
        """

    /// One line of the table.
    struct Line: CustomStringConvertible, Sendable {
        let state: Substring
        let conditions: [Substring]
        let events: [Substring]
        let outcome: String
        let description: String

        init(_ text: Substring) {
            let columns = text.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.split(separator: " ") }
            precondition(columns.count == 4, "a line has four columns: \(text)")
            state = columns[0][0]
            conditions = Array(columns[0].dropFirst())
            events = columns[1]
            outcome = (columns[2] + ["|"] + columns[3]).joined(separator: " ")
            description = String(text)
        }
    }

    static let lines = text.split(separator: "\n").map { Line($0) }
}
