//! The mapping guard: a test program of its own, because the handler is the process's.

mod support;

use std::fs::OpenOptions;

use dagstore::{CidList, Config, ErrorCode};
use support::{Folder, blocks, code};

#[test]
fn a_truncated_file_gives_errors_and_the_process_goes_on() {
    assert!(dagstore::install_mapping_guard());
    assert!(dagstore::install_mapping_guard());
    let folder = Folder::new();
    let blocks = blocks(2000, 1000);
    let url = folder.car("a.car", &[], &blocks);
    let store = folder.store();
    store.register("a", &url).unwrap();
    let shard = store.acquire("a", None).unwrap();
    let (first, last) = (&blocks[0], &blocks[1999]);
    let view = shard.get(&last.cid).unwrap();
    assert_eq!(shard.read(&last.cid).unwrap(), last.bytes);

    let file = OpenOptions::new().write(true).open(folder.join("a.car")).unwrap();
    file.set_len(8192).unwrap();
    let error = shard.read(&last.cid).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SourceChanged, "{error}");
    assert_eq!(code(shard.read_into(&last.cid, &mut [0; 1000])), ErrorCode::SourceChanged);
    assert_eq!(code(view.verified(&last.cid)), ErrorCode::SourceChanged);
    let cids: CidList = [&first.cid, &last.cid].into_iter().collect();
    let mut bytes = Vec::new();
    let copies = shard.read_many(&cids, &mut bytes).unwrap();
    assert_eq!(copies.get(0), Ok(first.bytes.as_slice()));
    assert_eq!(copies.get(1), Err(ErrorCode::SourceChanged));
    assert_eq!(shard.read(&first.cid).unwrap(), first.bytes);
}

#[test]
fn an_unmapped_store_copies_blocks() {
    let folder = Folder::new();
    let blocks = blocks(2000, 1000);
    let url = folder.car("a.car", &[], &blocks);
    let store = folder.open(Config::new().unmapped(true));
    store.register("a", &url).unwrap();
    let shard = store.acquire("a", None).unwrap();
    let last = &blocks[1999];
    let copy = shard.get(&last.cid).unwrap();
    let file = OpenOptions::new().write(true).open(folder.join("a.car")).unwrap();
    file.set_len(8192).unwrap();
    assert_eq!(*copy, last.bytes);
    assert_eq!(code(shard.get(&last.cid)), ErrorCode::SourceChanged);
}
