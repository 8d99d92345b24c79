//! Stores, shards and blocks: every function once, and their errors.

mod support;

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use dagstore::{
    Car, CheckOptions, Cid, CidList, Collection, Config, ErrorCode, EventKind, Holders, Indexing,
    PageEncoding, Policy, Recovery, RegisterOptions, Shutdown, State, Store,
};
use support::{Block, Folder, blocks, code, wait_until};

/// A folder, a store with the shard "a", and its blocks.
fn store_with_shard(count: u64) -> (Folder, Store, Vec<Block>) {
    let folder = Folder::new();
    let blocks = blocks(count, 100);
    let url = folder.car("a.car", &[blocks[0].cid.clone()], &blocks);
    let store = folder.store();
    store.register("a", &url).unwrap();
    (folder, store, blocks)
}

#[test]
fn a_shard_reads_its_blocks() {
    let (_folder, store, blocks) = store_with_shard(600);
    let shard = store.acquire("a", None).unwrap();
    assert_eq!(shard.key().unwrap(), "a");
    assert_eq!(shard.block_count(), 600);
    assert_eq!(shard.roots().unwrap(), [Cid::from_bytes(&blocks[0].cid).unwrap()]);
    let mut buffer = [0; 200];
    let mut copy = Vec::new();
    for block in &blocks {
        assert!(shard.contains(&block.cid).unwrap());
        let view = shard.get(&block.cid).unwrap();
        assert_eq!(*view, block.bytes);
        assert_eq!(*view.verified(&block.cid).unwrap(), block.bytes);
        assert_eq!(*shard.get_if_present(&block.cid).unwrap().unwrap(), block.bytes);
        assert_eq!(shard.read(&block.cid).unwrap(), block.bytes);
        shard.read_to_vec(&block.cid, &mut copy).unwrap();
        assert_eq!(copy, block.bytes);
        let size = shard.read_into(&block.cid, &mut buffer).unwrap();
        assert_eq!(buffer[..size], block.bytes);
        let location = shard.locate(&block.cid).unwrap();
        assert_eq!(location.block_size, block.bytes.len() as u64);
        assert_eq!(shard.offsets(&block.cid).unwrap(), [location.offset]);
    }
}

#[test]
fn misses_and_small_buffers_are_errors_with_codes() {
    let (_folder, store, blocks) = store_with_shard(3);
    let shard = store.acquire("a", None).unwrap();
    let other = Block::raw("other");
    assert!(!shard.contains(&other.cid).unwrap());
    assert!(shard.get_if_present(&other.cid).unwrap().is_none());
    assert!(store.get_if_present(&other.cid, None).unwrap().is_none());
    for found in [
        code(shard.get(&other.cid)),
        code(shard.read(&other.cid)),
        code(shard.locate(&other.cid)),
        code(shard.offsets(&other.cid)),
        code(store.get(&other.cid, None)),
        code(store.size(&other.cid)),
    ] {
        assert_eq!(found, ErrorCode::BlockNotFound);
    }
    for bad in [b"".as_slice(), b"\0", b"\x01\x55\x12\x20\x01", &[0xff; 40]] {
        assert_eq!(code(shard.get(bad)), ErrorCode::InvalidCid);
        assert_eq!(code(shard.get_if_present(bad)), ErrorCode::InvalidCid);
        assert_eq!(code(store.get(bad, None)), ErrorCode::InvalidCid);
        assert_eq!(code(store.get_if_present(bad, None)), ErrorCode::InvalidCid);
        assert_eq!(code(store.contains(bad)), ErrorCode::InvalidCid);
        assert_eq!(code(store.find(bad)), ErrorCode::InvalidCid);
        assert_eq!(code(store.holders(bad)), ErrorCode::InvalidCid);
    }
    let error = shard.read_into(&blocks[0].cid, &mut [0; 99]).unwrap_err();
    assert_eq!((error.code(), error.required_size()), (ErrorCode::BufferTooSmall, Some(100)));
    let wrong = shard.get(&blocks[0].cid).unwrap().verified(&blocks[1].cid);
    assert_eq!(code(wrong), ErrorCode::HashMismatch);
}

#[test]
fn an_empty_block_and_an_identity_block_are_read() {
    let folder = Folder::new();
    let empty = Block::raw("");
    let url = folder.car("empty.car", &[], std::slice::from_ref(&empty));
    let store = folder.store();
    store.register("empty", &url).unwrap();
    let shard = store.acquire("empty", None).unwrap();
    assert!(shard.get(&empty.cid).unwrap().is_empty());
    assert_eq!(shard.read(&empty.cid).unwrap(), b"");
    assert_eq!(shard.roots().unwrap(), []);
    let identity = b"\x01\x55\x00\x02hi";
    assert!(shard.contains(identity).unwrap());
    assert_eq!(*shard.get(identity).unwrap(), *b"hi");
    assert_eq!(code(shard.offsets(identity)), ErrorCode::BlockNotFound);
}

#[test]
fn batches_report_each_block() {
    let (_folder, store, blocks) = store_with_shard(50);
    let shard = store.acquire("a", None).unwrap();
    let mut cids: CidList = blocks.iter().map(|block| &block.cid).collect();
    cids.push(Block::raw("other").cid);
    cids.push(b"not a CID");
    let check = |index: usize, result: Result<&[u8], ErrorCode>| match index {
        50 => assert_eq!(result, Err(ErrorCode::BlockNotFound)),
        51 => assert_eq!(result, Err(ErrorCode::InvalidCid)),
        index => assert_eq!(result, Ok(blocks[index].bytes.as_slice())),
    };
    let views = shard.get_many(&cids).unwrap();
    assert_eq!((views.len(), views.is_empty()), (52, false));
    views.iter().enumerate().for_each(|(index, result)| check(index, result));
    let mut bytes = vec![1, 2, 3];
    let copies = shard.read_many(&cids, &mut bytes).unwrap();
    assert_eq!((copies.len(), copies.is_empty()), (52, false));
    copies.iter().enumerate().for_each(|(index, result)| check(index, result));
    drop(copies);
    assert_eq!(bytes.len(), 5000);
    drop((shard, store));
    // The batch keeps its bytes.
    views.iter().enumerate().for_each(|(index, result)| check(index, result));
}

#[test]
fn batches_of_none_and_of_too_many_cids_end_well() {
    let (_folder, store, blocks) = store_with_shard(1);
    let shard = store.acquire("a", None).unwrap();
    let none = CidList::new();
    assert!(shard.get_many(&none).unwrap().is_empty());
    assert!(shard.read_many(&none, &mut Vec::new()).unwrap().is_empty());
    let mut many: CidList = std::iter::repeat_n(&blocks[0].cid, 65_536).collect();
    assert!(shard.get_many(&many).unwrap().iter().all(|block| block.is_ok()));
    many.push(&blocks[0].cid);
    assert_eq!(code(shard.get_many(&many)), ErrorCode::InvalidArgument);
    assert_eq!(code(shard.read_many(&many, &mut Vec::new())), ErrorCode::InvalidArgument);
    many.clear();
    assert!(many.is_empty());
}

#[test]
fn a_repeated_block_has_all_its_offsets() {
    let folder = Folder::new();
    let (one, two) = (Block::raw("one"), Block::raw("two"));
    let repeated: Vec<Block> = (0..9).flat_map(|_| [one.clone(), two.clone()]).collect();
    let url = folder.car("repeated.car", &[], &repeated);
    let store = folder.store();
    store.register("repeated", &url).unwrap();
    let shard = store.acquire("repeated", None).unwrap();
    let expected: Vec<u64> = shard
        .sections()
        .unwrap()
        .map(|section| section.unwrap())
        .filter(|section| section.cid.as_bytes() == one.cid)
        .map(|section| section.location.offset)
        .collect();
    assert_eq!(expected.len(), 9);
    assert_eq!(shard.offsets(&one.cid).unwrap(), expected);
}

#[test]
fn sections_come_in_car_order_and_hold_the_lease() {
    let (_folder, store, blocks) = store_with_shard(600);
    let shard = store.acquire("a", None).unwrap();
    let mut sections = shard.sections().unwrap();
    drop(shard);
    assert_eq!(code(store.destroy("a")), ErrorCode::ShardInUse);
    let mut file_offset = 0;
    for block in &blocks {
        let section = sections.next().unwrap().unwrap();
        assert_eq!(section.cid.as_bytes(), block.cid);
        assert_eq!(section.location.block_size, 100);
        assert!(section.location.block_offset > file_offset);
        file_offset = section.location.block_offset;
    }
    assert!(sections.next().is_none());
    assert!(sections.next().is_none());
    drop(sections);
    store.destroy("a").unwrap();
}

#[test]
fn views_outlive_the_lease_the_shard_and_the_store() {
    let (folder, store, blocks) = store_with_shard(3);
    let shard = store.acquire("a", None).unwrap();
    let view = shard.get(&blocks[1].cid).unwrap();
    let verified = view.verified(&blocks[1].cid).unwrap();
    drop(shard);
    store.destroy("a").unwrap();
    drop(store);
    drop(folder);
    assert_eq!(*view, blocks[1].bytes);
    let sent = thread::spawn(move || view.to_vec()).join().unwrap();
    assert_eq!(sent, *verified);
}

#[test]
fn a_lease_outlives_its_store() {
    let (_folder, store, blocks) = store_with_shard(3);
    let shard = store.acquire("a", None).unwrap();
    drop(store);
    assert_eq!(*shard.get(&blocks[2].cid).unwrap(), blocks[2].bytes);
}

#[test]
fn threads_share_a_shard() {
    let (_folder, store, blocks) = store_with_shard(200);
    let shard = store.acquire("a", None).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for block in &blocks {
                    assert_eq!(*shard.get(&block.cid).unwrap(), block.bytes);
                    assert_eq!(shard.read(&block.cid).unwrap(), block.bytes);
                }
            });
        }
    });
    // A thread may end the lease while others use it through their own references.
    let shared = Arc::new(shard);
    let users: Vec<_> = (0..4)
        .map(|_| {
            let (shard, blocks) = (Arc::clone(&shared), blocks.clone());
            thread::spawn(move || blocks.iter().all(|block| shard.contains(&block.cid).unwrap()))
        })
        .collect();
    drop(shared);
    assert!(users.into_iter().all(|user| user.join().unwrap()));
    wait_until("the lease has ended", || store.statistics().unwrap().leases == 0);
}

#[test]
fn the_store_finds_blocks_in_all_shards() {
    let (folder, store, blocks) = store_with_shard(3);
    let url = folder.car("b.car", &[], &blocks[1..]);
    store.register("b", &url).unwrap();
    let cid = &blocks[2].cid;
    assert!(store.contains(cid).unwrap());
    assert_eq!(store.size(cid).unwrap(), 100);
    assert_eq!(*store.get(cid, None).unwrap(), blocks[2].bytes);
    assert_eq!(*store.get_if_present(cid, None).unwrap().unwrap(), blocks[2].bytes);
    let places: Vec<_> = store.find(cid).unwrap().map(|place| place.unwrap()).collect();
    let shard = store.acquire("b", None).unwrap();
    assert_eq!(places.len(), 2);
    assert_eq!((places[0].key.as_str(), places[1].key.as_str()), ("a", "b"));
    assert_eq!(places[1].location, shard.locate(cid).unwrap());

    let multihash = Cid::from_bytes(cid).unwrap().multihash().to_vec();
    let mut holders = store.holders(&multihash).unwrap();
    assert_eq!(holders.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((holders.len(), holders.is_empty()), (2, false));
    let first = Cid::from_bytes(&blocks[0].cid).unwrap();
    store.holders_into(first.multihash(), &mut holders).unwrap();
    assert_eq!(holders.iter().collect::<Vec<_>>(), ["a"]);
    let other = Cid::from_bytes(Block::raw("other").cid).unwrap();
    assert!(store.holders(other.multihash()).unwrap().is_empty());
    assert_eq!(store.find(&other).unwrap().count(), 0);
}

#[test]
fn holders_of_many_shards_need_more_room() {
    let folder = Folder::new();
    let block = Block::raw("shared");
    let url = folder.car("shared.car", &[], std::slice::from_ref(&block));
    let store = folder.store();
    let keys: Vec<String> = (0..100).map(|number| format!("shard-{number:0>20}")).collect();
    for key in &keys {
        store.register(key, &url).unwrap();
    }
    let cid = Cid::from_bytes(&block.cid).unwrap();
    let mut holders = Holders::default();
    for _ in 0..2 {
        store.holders_into(cid.multihash(), &mut holders).unwrap();
        assert_eq!(holders.iter().collect::<Vec<_>>(), keys);
    }
}

#[test]
fn the_selection_of_a_call_chooses_the_shard() {
    let (folder, store, blocks) = store_with_shard(3);
    store.register("b", &folder.car("b.car", &[], &blocks)).unwrap();
    let (cid, caller) = (&blocks[0].cid, thread::current().id());
    let mut seen = Vec::new();
    let block = store.get_selecting(cid, None, |keys| {
        assert_eq!(thread::current().id(), caller);
        seen = keys.iter().map(|key| key.to_string()).collect();
        vec![1, 99]
    });
    assert_eq!(*block.unwrap(), blocks[0].bytes);
    assert_eq!(seen.len(), 2);
    assert_eq!(store.info(&seen[0]).unwrap().state, State::Available);
    assert_eq!(code(store.get_selecting(cid, None, |_| Vec::new())), ErrorCode::BlockNotFound);
    assert_eq!(*store.get_selecting(cid, None, |_| vec![0; 99]).unwrap(), blocks[0].bytes);
}

#[test]
fn multihashes_continue_at_a_cursor() {
    let (_folder, store, blocks) = store_with_shard(600);
    let all: Vec<_> =
        store.multihashes("a", None).unwrap().map(|multihash| multihash.unwrap()).collect();
    let expected: Vec<&[u8]> = blocks.iter().map(|block| &block.cid[2..]).collect();
    assert_eq!(all.iter().map(|place| place.multihash.as_slice()).collect::<Vec<_>>(), expected);
    let shard = store.acquire("a", None).unwrap();
    assert_eq!(all[77].offset, shard.locate(&blocks[77].cid).unwrap().offset);

    let mut multihashes = store.multihashes("a", None).unwrap();
    assert_eq!(multihashes.by_ref().take(300).count(), 300);
    let cursor = multihashes.cursor();
    let rest: Vec<_> =
        store.multihashes("a", Some(&cursor)).unwrap().map(|place| place.unwrap()).collect();
    assert_eq!(rest, all[300..]);
    assert_eq!(multihashes.count(), 300);
    assert_eq!(code(store.multihashes("a", Some("no cursor"))), ErrorCode::InvalidArgument);
    assert_eq!(code(store.multihashes("unknown", None)), ErrorCode::ShardUnknown);
}

#[test]
fn registrations_wait_lazily_or_in_the_background() {
    let folder = Folder::new();
    let store = folder.store();
    let blocks = blocks(300, 1000);
    let url = folder.car("a.car", &[], &blocks);
    let lazy = RegisterOptions::new().indexing(Indexing::Lazy).policy(Policy::Remote);
    store.register_with("lazy", &url, lazy).unwrap();
    let info = store.info("lazy").unwrap();
    assert_eq!((info.state, info.is_lazy), (State::Registered, true));
    assert_eq!((info.policy, info.mount_url.as_str()), (Policy::Remote, url.as_str()));
    assert_eq!(code(store.acquire("lazy", Some(Duration::ZERO))), ErrorCode::DeadlineExceeded);
    store.initialize("lazy").unwrap();
    assert!(store.acquire("lazy", Some(Duration::ZERO)).is_ok());

    let background = RegisterOptions::new().indexing(Indexing::Background);
    store.register_with("background", &url, background).unwrap();
    wait_until("the shard is available", || {
        store.state("background").unwrap() == Some(State::Available)
    });
    let info = store.info("background").unwrap();
    assert_eq!((info.block_count, info.is_lazy, info.error), (300, false, None));
    assert!(info.payload_size > 300_000 && info.index_size > 0);
    assert!(info.state_since.elapsed().unwrap() < Duration::from_secs(3600));
}

#[test]
fn progress_is_told_and_its_closure_dropped() {
    let folder = Folder::new();
    let store = folder.store();
    let url = folder.car("a.car", &[], &support::unverifiable(40, 1 << 20));
    let last = Arc::new(AtomicU64::new(0));
    let with_progress = |indexing| {
        let last = Arc::clone(&last);
        RegisterOptions::new().indexing(indexing).progress(move |progress| {
            assert!(progress.bytes_done <= progress.bytes_total);
            last.fetch_max(progress.bytes_done, Ordering::SeqCst);
        })
    };
    store.register_with("now", &url, with_progress(Indexing::Now)).unwrap();
    assert!(last.swap(0, Ordering::SeqCst) > 0);
    assert_eq!(Arc::strong_count(&last), 1, "the closure of a registration that waited");

    store.register_with("lazy", &url, with_progress(Indexing::Lazy)).unwrap();
    assert_eq!(Arc::strong_count(&last), 2);
    store.destroy("lazy").unwrap();
    assert_eq!(Arc::strong_count(&last), 1, "the closure of a shard that was destroyed");

    store.register_with("background", &url, with_progress(Indexing::Background)).unwrap();
    wait_until("progress is told", || last.load(Ordering::SeqCst) > 0);
    drop(store);
    assert_eq!(Arc::strong_count(&last), 1, "the closure after the store closed");
    let refused = folder.store().register_with("now", &url, with_progress(Indexing::Lazy));
    assert_eq!(code(refused), ErrorCode::ShardExists);
    assert_eq!(Arc::strong_count(&last), 1, "the closure of a registration that failed");
}

#[test]
fn a_failed_shard_is_recovered_relocated_and_destroyed() {
    let folder = Folder::new();
    let store = folder.store();
    let blocks = blocks(3, 100);
    let mut bytes = support::car(&[], &blocks);
    let whole = bytes.clone();
    bytes.truncate(bytes.len() - 1);
    let url = folder.file("short.car", &bytes);
    let error = store.register("short", &url).unwrap_err();
    assert_eq!((error.code(), error.shard()), (ErrorCode::Truncated, Some("short")));
    assert!(error.offset().is_some() && error.to_string().ends_with("(truncated)"), "{error}");
    let info = store.info("short").unwrap();
    assert_eq!(info.state, State::Failed);
    assert_eq!(info.error.unwrap().code(), ErrorCode::Truncated);
    assert_eq!(code(store.acquire("short", None)), ErrorCode::Truncated);
    assert_eq!(code(store.recover("short")), ErrorCode::Truncated);
    folder.file("short.car", &whole);
    store.recover("short").unwrap();
    assert_eq!(code(store.recover("short")), ErrorCode::NotFailed);

    let moved = folder.file("moved %.car", &whole);
    store.relocate("short", &moved).unwrap();
    assert_eq!(store.info("short").unwrap().mount_url, moved);
    let other = folder.car("other.car", &[], &[Block::raw("other")]);
    assert_eq!(code(store.relocate("short", &other)), ErrorCode::SourceChanged);
    store.destroy("short").unwrap();
    assert_eq!(store.state("short").unwrap(), None);
    assert_eq!(code(store.info("short")), ErrorCode::ShardUnknown);
    assert_eq!(code(store.destroy("short")), ErrorCode::ShardUnknown);
}

#[test]
fn shards_events_and_statistics_tell_what_happened() {
    let folder = Folder::new();
    let store = folder.store();
    let mut events = store.events(100).unwrap();
    let url = folder.car("a.car", &[], &blocks(3, 100));
    for key in ["a", "b", "c"] {
        store.register(key, &url).unwrap();
    }
    let shard = store.acquire("b", None).unwrap();
    assert_eq!(store.state("b").unwrap(), Some(State::Serving));
    let keys: Vec<_> = store.shards().unwrap().map(|info| info.unwrap().key).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    let statistics = store.statistics().unwrap();
    assert_eq!((statistics.shards, statistics.available, statistics.failed), (3, 3, 0));
    assert_eq!((statistics.blocks, statistics.leases), (9, 1));
    assert_eq!(store.scheme_traffic("https").unwrap(), (0, 0));
    drop(shard);
    store.destroy("b").unwrap();
    let gone = folder.join("gone.car");
    assert_eq!(
        code(store.register("gone", &dagstore::file_url(gone).unwrap())),
        ErrorCode::MountGone
    );
    store.shutdown(Shutdown::Wait).unwrap();

    let seen: Vec<_> = events.by_ref().map(|event| event.unwrap()).collect();
    assert!(events.next_event(None).unwrap().is_none());
    let of = |key: &str| {
        let events = seen.iter().filter(|event| event.key == key);
        events.map(|event| (event.kind, event.state, event.references)).collect::<Vec<_>>()
    };
    assert_eq!(
        of("b"),
        [
            (EventKind::Register, Some(State::Registered), 0),
            (EventKind::Initialize, Some(State::Initializing), 0),
            (EventKind::MakeAvailable, Some(State::Available), 0),
            (EventKind::Acquire, Some(State::Serving), 1),
            (EventKind::Release, Some(State::Available), 0),
            (EventKind::Destroy, None, 0),
        ]
    );
    let failure = seen.iter().find(|event| event.kind == EventKind::Fail).unwrap();
    let error = failure.error.as_ref().unwrap();
    assert_eq!((error.code(), error.shard()), (ErrorCode::MountGone, Some("gone")));
    let numbers: HashSet<u64> = seen.iter().map(|event| event.number).collect();
    assert_eq!(numbers.len(), seen.len());
}

#[test]
fn a_poll_of_an_empty_queue_ends_at_once() {
    let (_folder, store, _blocks) = store_with_shard(1);
    let mut events = store.events(10).unwrap();
    while events.next_event(Some(Duration::ZERO)).is_ok() {}
    assert_eq!(code(events.next_event(Some(Duration::ZERO))), ErrorCode::DeadlineExceeded);
    assert_eq!(code(store.events(0)), ErrorCode::InvalidArgument);
    let error = store.events(usize::MAX).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains(&format!("the capacity is {}", usize::MAX)), "{error}");
    // A waiting thread gets the end when the store closes.
    let waiter = thread::spawn(move || events.next());
    store.shutdown(Shutdown::Cancel).unwrap();
    assert!(waiter.join().unwrap().is_none());
}

#[test]
fn checks_find_what_is_wrong() {
    let (folder, store, blocks) = store_with_shard(3);
    let check = store.check(CheckOptions::new().deep()).unwrap();
    assert!(check.is_sound && check.problems.is_empty());
    assert_eq!((check.shards, check.entries, check.blocks, check.bytes), (1, 3, 3, 300));
    let mut bytes = support::car(&[blocks[0].cid.clone()], &blocks);
    *bytes.last_mut().unwrap() ^= 1;
    store.shutdown(Shutdown::Wait).unwrap();
    folder.file("a.car", &bytes);
    let store = folder.store();
    let check = store.check(CheckOptions::new().deep()).unwrap();
    assert!(!check.is_sound);
    assert_eq!(check.problems[0].key.as_deref(), Some("a"));
    assert!(!check.problems[0].kind.is_empty() && !check.problems[0].detail.is_empty());
    assert_eq!(check.problems[0].repair, None);
}

#[test]
fn stores_are_compacted_and_opened_once() {
    let (folder, store, _blocks) = store_with_shard(3);
    let path = folder.join("store");
    assert_eq!(code(Store::open(&path)), ErrorCode::CatalogLocked);
    assert_eq!(code(Store::compact(&path, None)), ErrorCode::CatalogLocked);
    let clone = store.clone();
    drop(store);
    assert_eq!(code(Store::open(&path)), ErrorCode::CatalogLocked);
    drop(clone);
    let (before, after) = Store::compact(&path, None).unwrap();
    assert!(before > 0 && after > 0 && after <= before);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.state("a").unwrap(), Some(State::Available));
    assert_eq!(code(Store::compact(folder.join("none"), None)), ErrorCode::InvalidArgument);
}

#[test]
fn a_closed_store_says_so() {
    let (_folder, store, blocks) = store_with_shard(3);
    let clone = store.clone();
    store.shutdown(Shutdown::Wait).unwrap();
    store.shutdown(Shutdown::Wait).unwrap();
    for found in [
        code(clone.acquire("a", None)),
        code(clone.get(&blocks[0].cid, None)),
        code(clone.contains(&blocks[0].cid)),
        code(clone.register("b", "file:///b.car")),
        code(clone.statistics()),
        code(clone.shards()),
        code(clone.events(1)),
        code(clone.state("a")),
    ] {
        assert_eq!(found, ErrorCode::Closed);
    }
}

#[test]
fn configurations_are_checked_and_used() {
    let folder = Folder::new();
    let path = folder.join("configured");
    let bad = Config::new().concurrent_indexing(0).open(&path);
    assert_eq!(code(bad), ErrorCode::InvalidConfiguration);
    assert_eq!(code(Config::new().read_only(true).open(&path)), ErrorCode::InvalidArgument);
    let store = Config::new()
        .relaxed(true)
        .unmapped(true)
        .refuses_null_padding(true)
        .checks_pages(true)
        .leaves_interrupted(true)
        .allows_private(true)
        .page_encoding(PageEncoding::Direct)
        .recovery(Recovery::OnAcquire)
        .map_size(1 << 30)
        .sort_budget(1 << 24)
        .page_cache_size(1 << 20)
        .header_size_max(1 << 20)
        .section_size_max(1000)
        .concurrent_indexing(2)
        .concurrent_ready_fetches(2)
        .automatic_recoveries(1)
        .idle_shards_max(1)
        .idle_bytes_max(1 << 20)
        .idle_time_max(Duration::from_secs(1))
        .transient_quota(1 << 30)
        .transient_watermarks(0.5, 0.25)
        .fetch_timeout(Duration::from_secs(60))
        .remote_policy(Policy::Cache)
        .remote_cache_size(1 << 20)
        .open(&path)
        .unwrap();
    assert_eq!(store.statistics().unwrap().map_size, 1 << 30);
    let big = folder.car("big.car", &[], &[Block::numbered(1, 2000)]);
    assert_eq!(code(store.register("big", &big)), ErrorCode::LimitExceeded);
    let mut padded = support::car(&[], &[Block::raw("small")]);
    padded.push(0);
    assert_eq!(
        code(store.register("padded", &folder.file("padded.car", &padded))),
        ErrorCode::MalformedCar
    );
    drop(store);
    let store = Config::new().read_only(true).open(&path).unwrap();
    assert_eq!(code(store.register("a", &big)), ErrorCode::ReadOnly);
    let plain = Config::new().read_only(true).read_only(false);
    assert_eq!(format!("{plain:?}"), "Config { flags: 0, mounts: [], .. }");
}

#[test]
fn copies_are_collected() {
    let folder = Folder::new();
    let store = folder.open(Config::new().mount("memory", support_mount(&folder)));
    for key in ["a", "b"] {
        store.register(key, &format!("memory://{key}.car")).unwrap();
    }
    let shard = store.acquire("b", None).unwrap();
    assert!(store.info("a").unwrap().transient.unwrap().is_file());
    let mut results = Vec::new();
    let garbage = store.collect_garbage_with(0, |copy| results.push(copy)).unwrap();
    assert_eq!((garbage.removed, garbage.in_use, garbage.kept), (1, 1, 0));
    results.sort_by(|one, two| one.key.cmp(&two.key));
    assert_eq!(results.len(), 2);
    assert_eq!((results[0].key.as_deref(), results[0].result), (Some("a"), Collection::Removed));
    assert_eq!((results[1].key.as_deref(), results[1].result), (Some("b"), Collection::InUse));
    assert!(results[0].bytes > 0 && results[0].error.is_none());
    drop(shard);
    assert_eq!(store.collect_garbage(u64::MAX).unwrap().kept, 1);
    assert_eq!(store.collect_garbage(0).unwrap().removed, 1);
    store.set_policy("a", Policy::Remote).unwrap();
    assert_eq!(store.info("a").unwrap().policy, Policy::Remote);
    assert_eq!(code(store.set_policy("a", Policy::Other(9))), ErrorCode::InvalidArgument);
}

/// A sequential mount of one small CAR.
fn support_mount(folder: &Folder) -> impl dagstore::Mount + use<> {
    struct OneCar(std::path::PathBuf);
    impl dagstore::Mount for OneCar {
        fn access(&self, _url: &str) -> dagstore::Access {
            dagstore::Access::Sequential
        }
        fn stat(
            &self,
            _request: &dagstore::MountRequest<'_>,
        ) -> Result<dagstore::MountStat, dagstore::MountError> {
            Ok(dagstore::MountStat::new(fs::metadata(&self.0)?.len()))
        }
        fn open(
            &self,
            _request: &dagstore::MountRequest<'_>,
        ) -> Result<dagstore::Source, dagstore::MountError> {
            Ok(dagstore::Source::reader(fs::File::open(&self.0)?, None))
        }
    }
    folder.car("one.car", &[], &blocks(3, 100));
    OneCar(folder.join("one.car"))
}

#[test]
fn keys_urls_and_paths_with_nul_are_refused() {
    let (folder, store, _blocks) = store_with_shard(1);
    let long = format!("{}\0", "k".repeat(1000));
    for key in ["\0", "a\0", "a\0b", &long] {
        for found in [
            code(store.register(key, "file:///a.car")),
            code(store.acquire(key, None)),
            code(store.destroy(key)),
            code(store.state(key)),
            code(store.info(key)),
            code(store.multihashes(key, None)),
            code(support::block_on(store.acquire_async(key))),
        ] {
            assert_eq!(found, ErrorCode::NulByte);
        }
        let url = format!("file:///{key}");
        assert_eq!(code(store.register("b", &url)), ErrorCode::NulByte);
        assert_eq!(code(store.relocate("a", &url)), ErrorCode::NulByte);
        assert_eq!(code(Store::open(folder.join(key))), ErrorCode::NulByte);
        assert_eq!(code(Car::open(folder.join(key))), ErrorCode::NulByte);
        assert_eq!(code(key.parse::<Cid>()), ErrorCode::InvalidCid);
    }
    let error = store.acquire("a\0b", None).unwrap_err();
    assert_eq!(error.to_string(), "the key has a NUL byte at 1; remove it (nulByte)");
    assert_eq!(store.state("a").unwrap(), Some(State::Available));
    for key in ["", &"k".repeat(481), &"k".repeat(100_000)] {
        assert_eq!(code(store.acquire(key, None)), ErrorCode::InvalidKey);
    }
    let odd = "\u{1f980} \n\"'\\%00 \u{202e}";
    assert_eq!(store.state(odd).unwrap(), None);
    assert_eq!(code(store.acquire(odd, None)), ErrorCode::ShardUnknown);
    assert_eq!(code(store.register("c", "unknown://x")), ErrorCode::UnknownScheme);
}
