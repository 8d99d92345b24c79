internal import DAGMounts

/// Encodes records for the reference.
extension GoRecord {
    /// The record in the reference's own encoding, byte for byte.
    var encoded: [UInt8] {
        var text = "{\"k\":" + GoJSON.quoted(key)
        text += ",\"u\":" + GoJSON.quoted(mountURL)
        text += ",\"t\":" + GoJSON.quoted(transientPath)
        text += ",\"s\":\(state),\"l\":\(isLazy),\"e\":" + GoJSON.quoted(error) + "}"
        return Array(text.utf8)
    }

    /// Returns the key of a shard's record in the datastore.
    ///
    /// The reference cleans it as a path, so two shards may have the same key.
    static func datastoreKey(of key: String) -> [UInt8] {
        prefix.dropLast() + GoPath.cleanRooted(key.utf8)
    }

    /// Returns a mount URL in the reference's own form, and whether the reference can read it back.
    ///
    /// The reference writes the path of a file in the place of a host. When it reads the URL, it rejects slashes and
    /// other characters that a host cannot have.
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
                text += PercentEscapes.escape(byte)
                if byte < 0x80, character != "%" { isReadable = false }
            }
        }
        return (text, isReadable)
    }
}

/// The JSON of Go's encoder.
enum GoJSON {
    /// Returns a string in quotes; `<`, `>` and `&` are escaped, as in a page of HTML.
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
