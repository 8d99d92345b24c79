internal import DAGBytes
internal import DAGIPLD
internal import DAGMultiformats

/// A block of a file, a directory or a symlink, decoded.
final class UnixFSBlock {
    /// What it is.
    enum Kind {
        case file, directory, symlink
    }

    /// The CID.
    let cid: CID
    private let bytes: OwnedBytes
    /// The block as dag-pb; nil for a raw leaf.
    let node: DagPBNode?
    /// The data of the dag-pb block; nil for a raw leaf.
    let unixFS: UnixFSNode?
    /// Places and links of a HAMT; nil for any other block.
    let shard: HAMTShard?
    private unowned let owner: CARBlocks
    private let heldSize: Int

    /// Decodes a block.
    ///
    /// - Throws: `.notUnixFS` of `UnixFSFilesError`; `.malformedBlock`, `.limitExceeded` of `IPLDError`.
    init(_ cid: CID, _ bytes: OwnedBytes, owner: CARBlocks) throws {
        self.cid = cid
        self.bytes = bytes
        self.owner = owner
        switch cid.codec {
        case Codec.raw:
            node = nil
            unixFS = nil
            shard = nil
        case Codec.dagPB:
            do throws(IPLDError) {
                let node = try DagPBNode(decoding: bytes.view)
                guard let data = node.data else {
                    throw IPLDError(.malformedBlock, "a dag-pb block without data is not UnixFS")
                }
                let unixFS = try UnixFSNode(decoding: bytes.view[data])
                self.node = node
                self.unixFS = unixFS
                shard =
                    unixFS.kind == .hamtShard ? try HAMTShard(node, unixFS, in: bytes.view) : nil
            } catch {
                throw IPLDError(error.code, error.message, cid: cid)
            }
        default:
            throw UnixFSFilesError(
                .notUnixFS,
                "the block \(cid.briefText) is \(Codec.name(of: cid.codec)), and no part of a file or folder",
                cid: cid
            )
        }
        heldSize = CARBlocks.heldSize(of: bytes.view.count, links: node?.links.count ?? 0)
        owner.hold(heldSize)
    }

    deinit { owner.release(heldSize) }

    /// The bytes; valid while the block lives.
    var view: ByteView { bytes.view }

    /// What the block is.
    ///
    /// - Throws: `.notUnixFS` for metadata.
    var kind: Kind {
        get throws {
            switch unixFS?.kind {
            case nil, .file, .raw: return .file
            case .directory, .hamtShard: return .directory
            case .symlink: return .symlink
            case .metadata:
                throw UnixFSFilesError(
                    .notUnixFS,
                    "the block \(cid.briefText) is metadata, and no part of a file or folder",
                    cid: cid
                )
            }
        }
    }

    /// Its own part of a file's bytes, or a symlink's target; valid while the block lives.
    var content: ByteView {
        guard let node, let unixFS else { return view }
        guard let data = node.data, let content = unixFS.data else { return .empty }
        return view[data][content]
    }

    /// The number of links.
    var linkCount: Int { node?.links.count ?? 0 }

    /// The bytes of a file that it and its links have.
    ///
    /// - Throws: `.malformedBlock` of `IPLDError` if it contradicts itself.
    var contentSize: UInt64 {
        get throws {
            guard let unixFS else { return UInt64(view.count) }
            do {
                return try unixFS.contentSize(linkCount: linkCount)
            } catch {
                throw IPLDError(error.code, error.message, cid: cid)
            }
        }
    }

    /// Returns the CID of a link.
    func cid(of link: DagPBNode.Link) -> CID {
        guard let node else { preconditionFailure("a raw leaf has no links") }
        return node.cid(of: link, in: view)
    }

    /// Returns an error about the block.
    func malformed(_ message: String) -> IPLDError {
        IPLDError(.malformedBlock, message, cid: cid)
    }
}
