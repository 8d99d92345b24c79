#if Node
    internal import DAGSystem
    internal import SharedReads

    /// The time of day as the field `Date` has it: RFC 9110, section 5.6.7.
    ///
    /// *Cost*: a lock and a comparison; a text once a second.
    final class HTTPDate: Sendable {
        private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        private static let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]

        private let last = Lock<(second: Int, text: String)>((-1, ""))

        /// The time now.
        var now: String {
            let second = Int(WallClock.seconds)
            return last.withLock { last in
                if last.second != second { last = (second, Self.text(of: second)) }
                return last.text
            }
        }

        /// Returns the text of a time.
        ///
        /// - Parameter second: Seconds since 1970; not negative.
        /// - Returns: The text.
        static func text(of second: Int) -> String {
            let day = second / 86400
            let (year, month, dayOfMonth) = date(of: day)
            let time = second % 86400
            let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits)
            return "\(days[day % 7]), \(twoDigits(dayOfMonth)) \(months[month]) \(year) "
                + "\(clock.joined(separator: ":")) GMT"
        }

        private static func twoDigits(_ number: Int) -> String {
            number < 10 ? "0\(number)" : "\(number)"
        }

        /// Returns the Gregorian date of a day since 1970; months count from 0, days from 1.
        private static func date(of day: Int) -> (year: Int, month: Int, day: Int) {
            // Years begin in March here, so that the leap day is the last one.
            let shifted = day + 719468
            let era = shifted / 146097
            let dayOfEra = shifted % 146097
            let yearOfEra =
                (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let month = (5 * dayOfYear + 2) / 153
            let year = era * 400 + yearOfEra + (month < 10 ? 0 : 1)
            return (year, (month + 2) % 12, dayOfYear - (153 * month + 2) / 5 + 1)
        }
    }
#endif
