internal import DAGMounts

/// Writing what the reference reads.
extension GoRecord {
    /// The record as the reference writes it, byte for byte.
    var encoded: [UInt8] {
        var text = "{\"k\":" + GoJSON.quoted(key)
        text += ",\"u\":" + GoJSON.quoted(mountURL)
        text += ",\"t\":" + GoJSON.quoted(transientPath)
        text += ",\"s\":\(state),\"l\":\(isLazy),\"e\":" + GoJSON.quoted(error) + "}"
        return Array(text.utf8)
    }

    /// The key of a shard's record in the datastore.
    ///
    /// It is cleaned as a path, so that two shards may have the same.
    static func datastoreKey(of key: String) -> [UInt8] {
        prefix.dropLast() + GoPath.cleanRooted(key.utf8)
    }

    /// A mount URL as the reference writes it, and whether it can read it back.
    ///
    /// It puts the path of a file in the place of a host, where it accepts neither slashes nor other
    /// characters that a host cannot have.
    static func mountURL(_ url: MountURL) -> (text: String, isReadable: Bool) {
        guard url.scheme == FileMount.scheme, let file = try? FileMount(url: url.text) else {
            return (url.text, true)
        }
        var text = "\(FileMount.scheme)://"
        var isReadable = true
        for byte in file.path.bytes {
            let character = UnicodeScalar(byte)
            switch character {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "~", "!", "$", "&", "'", "(", ")",
                "*", "+", ",", ";", "=", "<", ">", "\"":
                text.unicodeScalars.append(character)
            case ":", "[", "]":
                text.unicodeScalars.append(character)
                isReadable = false
            default:
                text += "%" + String(0x100 + Int(byte), radix: 16, uppercase: true).dropFirst()
                if byte < 0x80, character != "%" { isReadable = false }
            }
        }
        return (text, isReadable)
    }
}

/// JSON as Go's encoder writes it.
enum GoJSON {
    /// A string in quotes; `<`, `>` and `&` are escaped, as for a page of HTML.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{8}": quoted += "\\b"
            case "\u{c}": quoted += "\\f"
            case "\u{0}"..."\u{1f}", "<", ">", "&", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
