//! CIDs, CARs outside a store, codes of errors and URLs of files.

mod support;

use std::collections::HashSet;
use std::fs;

use dagstore::{Car, Cid, ErrorCode, Verification};
use support::{Block, Folder, blocks, code, sha256};

#[test]
fn cids_are_parsed_formatted_split_and_made() {
    let block = Block::raw("hello");
    let cid = Cid::from_bytes(&block.cid).unwrap();
    let text = cid.to_string();
    assert!(text.starts_with("bafkrei"));
    assert_eq!(text.parse::<Cid>().unwrap(), cid);
    assert_eq!(format!("{cid:?}"), format!("Cid({text})"));
    assert_eq!(format!("{cid:>70}").len(), 70);
    let parts = cid.parts();
    assert_eq!((parts.version, parts.codec, parts.hash_code), (1, 0x55, 0x12));
    assert_eq!((parts.multihash, parts.digest), (&block.cid[2..], &block.cid[4..]));
    assert_eq!(Cid::new(0x70, cid.multihash()).unwrap().parts().codec, 0x70);

    let version_0 = Cid::from_bytes(&block.cid[2..]).unwrap();
    assert!(version_0.to_string().starts_with("Qm"));
    assert_eq!(version_0.parts().version, 0);
    assert_ne!(version_0, cid);
    assert_eq!(HashSet::from([cid.clone(), cid.clone()]).len(), 1);
    assert!(cid < Cid::new(0x70, cid.multihash()).unwrap());
    assert_eq!(Cid::try_from(block.cid.as_slice()).unwrap(), cid);

    // A CID that does not fit into its struct.
    let mut long = vec![1, 0x55, 0, 0xac, 2];
    long.extend([7; 300]);
    let long = Cid::from_bytes(&long).unwrap();
    assert_eq!(long.parts().digest, [7; 300]);
    assert_eq!(long.to_string().parse::<Cid>().unwrap(), long);

    for bad in ["", "b", "not a CID", "Qm", "bafk\u{0}", "\u{1f980}", "z\u{fe}"] {
        assert_eq!(code(bad.parse::<Cid>()), ErrorCode::InvalidCid, "{bad:?}");
    }
    assert_eq!(code(Cid::from_bytes(b"")), ErrorCode::InvalidCid);
    assert_eq!(code(Cid::new(0x55, b"")), ErrorCode::InvalidCid);
    let mut surplus = block.cid.clone();
    surplus.push(0);
    assert_eq!(code(Cid::from_bytes(surplus)), ErrorCode::InvalidCid);
}

#[test]
fn cars_are_inspected_and_verified() {
    let folder = Folder::new();
    let mut blocks = blocks(10, 100);
    blocks.push(blocks[0].clone());
    let root = blocks[3].cid.clone();
    folder.car("a.car", std::slice::from_ref(&root), &blocks);
    let car = Car::open(folder.join("a.car")).unwrap();
    let info = car.inspect().unwrap();
    assert_eq!((info.version, info.roots, info.sections), (1, 1, 11));
    assert_eq!((info.duplicate_sections, info.identity_sections), (1, 0));
    assert_eq!((info.block_size_min, info.block_size_max), (100, 100));
    assert_eq!((info.index_codec, info.index_offset, info.is_fully_indexed), (None, None, false));
    assert_eq!(info.data_size, fs::metadata(folder.join("a.car")).unwrap().len());
    assert_eq!(car.root(0).unwrap().as_bytes(), root);
    assert_eq!(code(car.root(1)), ErrorCode::InvalidArgument);
    let mut counts = Verification::default();
    car.verify(0, &mut counts).unwrap();
    assert_eq!((counts.sections, counts.unverified, counts.mismatches), (11, 0, 0));

    blocks[5].bytes[0] ^= 1;
    folder.car("bad.car", &[], &blocks);
    let bad = Car::open(folder.join("bad.car")).unwrap();
    let error = bad.verify(2, &mut counts).unwrap_err();
    assert_eq!(error.code(), ErrorCode::HashMismatch);
    assert!(error.offset().is_some());
    assert_eq!((counts.sections, counts.mismatches), (11, 1));
    assert_eq!(code(Car::open(folder.join("none.car"))), ErrorCode::MountGone);
    fs::write(folder.join("no.car"), b"\x05hello").unwrap();
    assert_eq!(code(Car::open(folder.join("no.car"))), ErrorCode::MalformedCar);
}

#[test]
fn codes_have_the_names_of_the_library() {
    for (code, name) in [
        (ErrorCode::ShardUnknown, "shardUnknown"),
        (ErrorCode::BlockNotFound, "blockNotFound"),
        (ErrorCode::DeadlineExceeded, "deadlineExceeded"),
        (ErrorCode::NulByte, "nulByte"),
        (ErrorCode::IncompatibleLibrary, "incompatibleLibrary"),
        (ErrorCode::Other(-1000), "unknown"),
    ] {
        assert_eq!(code.to_string(), name);
    }
    assert_eq!(ErrorCode::Closed.status(), Some(-50));
    assert_eq!(ErrorCode::NulByte.status(), None);
}

#[test]
fn relative_paths_have_no_file_url() {
    assert_eq!(code(dagstore::file_url("a.car")), ErrorCode::InvalidArgument);
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes(b"/\xff.car");
    assert_eq!(code(dagstore::file_url(bytes)), ErrorCode::InvalidArgument);
}

#[test]
fn sha256_of_the_test_support_is_right() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex(&sha256(b"")), empty);
    let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(hex(&sha256(&[b'a'; 1_000_000])), million);
}
