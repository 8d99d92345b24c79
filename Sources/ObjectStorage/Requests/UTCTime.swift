/// A second of Universal Time, in the forms that HTTP and S3 write.
package struct UTCTime: Hashable, Sendable, Comparable {
    /// The seconds since 1 January 1970.
    package let seconds: Int64

    /// Creates a time; years 1970 to 9999.
    package init(seconds: Int64) { self.seconds = min(max(seconds, 0), 253_402_300_799) }

    /// Parses `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    ///
    /// Source: RFC 9110, section 5.6.7; the obsolete forms are not read.
    package init?(httpDate text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: " ")).map { Array($0) }
        guard parts.count == 6, parts[5].elementsEqual("GMT".utf8), text.utf8.count == 29,
            let month = Self.months.firstIndex(of: String(decoding: parts[2], as: UTF8.self)),
            let day = Self.number(parts[1]), let year = Self.number(parts[3])
        else { return nil }
        self.init(year: year, month: Int64(month) + 1, day: day, clock: parts[4])
    }

    /// Parses `1994-11-06T08:49:37Z`, with or without a fraction; nil for anything else.
    package init?(isoDate text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "T")).map { Array($0) }
        guard parts.count == 2, text.utf8.count <= 40, parts[1].last == UInt8(ascii: "Z") else {
            return nil
        }
        let date = parts[0].split(separator: UInt8(ascii: "-")).map { Self.number(Array($0)) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else {
            return nil
        }
        let clock = parts[1].prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "Z") }
        self.init(year: year, month: month, day: day, clock: Array(clock))
    }

    private init?(year: Int64, month: Int64, day: Int64, clock: [UInt8]) {
        let parts = clock.split(separator: UInt8(ascii: ":")).map { Self.number(Array($0)) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        self.init(
            seconds: Self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60
                + second
        )
    }

    /// The form `19941106T084937Z`, which signatures contain.
    package var basic: String {
        let (year, month, day) = date
        let rest = seconds % 86_400
        return Self.padded(year, 4) + Self.padded(month, 2) + Self.padded(day, 2) + "T"
            + Self.padded(rest / 3600, 2) + Self.padded(rest / 60 % 60, 2)
            + Self.padded(rest % 60, 2) + "Z"
    }

    /// Compares the seconds.
    package static func < (one: Self, other: Self) -> Bool { one.seconds < other.seconds }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ digits: [UInt8]) -> Int64? {
        guard (1...4).contains(digits.count), digits.allSatisfy({ $0.isDigit }) else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Returns the days from 1 January 1970 to a day of the Gregorian calendar.
    ///
    /// The year begins in March, so that the leap day is its last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private var date: (year: Int64, month: Int64, day: Int64) {
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shifted + 2) / 5 + 1
        )
    }
}
