/// Some objects of a bucket, as a server lists them.
///
/// Source: "ListObjectsV2" of the S3 API.
package struct S3Listing: Sendable, Equatable {
    /// An object.
    package struct Entry: Sendable, Equatable {
        /// The key.
        package let key: String
        /// The size in bytes.
        package let size: UInt64
        /// The time of the upload by the server's clock; nil if it is malformed.
        package let lastModified: UTCTime?

        /// Creates an entry.
        package init(key: String, size: UInt64, lastModified: UTCTime?) {
            self.key = key
            self.size = size
            self.lastModified = lastModified
        }
    }

    /// The largest answer that is read, in bytes: 1000 keys of the largest size, each byte an entity of XML.
    static let sizeMax = 8 << 20
    /// The most objects of an answer, as S3 limits them.
    package static let countMax = 1000

    /// The objects, mostly in the order of their keys.
    package private(set) var entries: [Entry] = []
    /// The place at which the next list goes on; nil if this one is the last.
    package private(set) var next: String?
    /// The time of the answer by the server's clock; nil if the server does not say.
    package let date: UTCTime?

    /// Reads the XML of an answer.
    ///
    /// - Parameters:
    ///   - bytes: The XML.
    ///   - date: The time of the answer.
    /// - Throws: `.malformedResponse`.
    init(_ bytes: [UInt8], date: UTCTime?) throws(ObjectStorageError) {
        self.date = date
        var reader = FlatXML(bytes)
        var key: String?
        var size: UInt64?
        var time: UTCTime?
        var isTruncated = false
        var isList = false
        while let element = try reader.next() {
            switch element.path {
            case ["ListBucketResult"]: isList = true
            case ["ListBucketResult", "IsTruncated"]: isTruncated = element.text == "true"
            case ["ListBucketResult", "NextContinuationToken"]: next = element.text
            case ["ListBucketResult", "Contents", "Key"]: key = element.text
            case ["ListBucketResult", "Contents", "Size"]:
                size = ContentRange.number(element.text.utf8)
            case ["ListBucketResult", "Contents", "LastModified"]:
                time = UTCTime(isoDate: element.text)
            case ["ListBucketResult", "Contents"]:
                guard let key, let size, entries.count < Self.countMax else {
                    throw FlatXML.malformed(
                        "an object lacks its key or size, or there are too many"
                    )
                }
                entries.append(Entry(key: key, size: size, lastModified: time))
            default: break
            }
            if element.path.count == 2 { (key, size, time) = (nil, nil, nil) }
        }
        guard isList else { throw FlatXML.malformed("it is no list") }
        if !isTruncated { next = nil }
        guard !isTruncated || !(next ?? "").isEmpty else {
            throw FlatXML.malformed("the list goes on, and does not say where")
        }
    }
}
