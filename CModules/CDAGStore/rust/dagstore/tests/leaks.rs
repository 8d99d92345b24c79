//! Leaks: a test program with one test, because the library counts the handles of the process.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

use dagstore::{Car, CheckOptions, CidList, Config, Indexing, RegisterOptions, live_handles};
use support::{Folder, GatedMount, block_on, blocks, car, poll_once, wait_until};

/// Uses everything once, with successes, errors and early ends.
fn use_everything(drops: &Arc<AtomicUsize>) {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let folder = Folder::new();
    let blocks = blocks(600, 100);
    let url = folder.car("a.car", &[], &blocks);
    let mount = GatedMount::new(car(&[], &blocks));
    let counted =
        [Counted(Arc::clone(drops)), Counted(Arc::clone(drops)), Counted(Arc::clone(drops))];
    let [select, observe, index] = counted;
    let config = Config::new()
        .mount("gate", Arc::clone(&mount))
        .select_shards(move |_, keys| {
            let _ = &select;
            (0..keys.len()).collect()
        })
        .observe(move |_| {
            let _ = &observe;
        })
        .indexer(move |_: &mut dagstore::IndexingCar<'_>| {
            let _ = &index;
            Ok(dagstore::Indexed::Walk)
        });
    let store = folder.open(config);
    let mut events = store.events(4).unwrap();
    store.register("a", &url).unwrap();
    assert!(store.register("a", &url).is_err());
    let lazy = RegisterOptions::new().indexing(Indexing::Lazy).progress(|_| {});
    store.register_with("gated", "gate://b", lazy.clone()).unwrap();
    let waker = Waker::noop();
    let mut waiting: Vec<_> = (0..10).map(|_| store.acquire_async("gated")).collect();
    for future in &mut waiting {
        assert!(poll_once(future, waker).is_pending());
    }
    waiting.truncate(5);
    mount.open_gate();
    for future in waiting {
        block_on(future).unwrap();
    }
    block_on(store.register_async("async", &url, lazy)).unwrap();
    block_on(store.destroy_async("async")).unwrap();
    assert!(block_on(store.destroy_async("async")).is_err());

    let shard = store.acquire("a", None).unwrap();
    let cids: CidList = blocks.iter().map(|block| &block.cid).collect();
    for block in &blocks {
        let view = shard.get(&block.cid).unwrap();
        view.verified(&block.cid).unwrap();
        assert!(view.verified(b"bad").is_err());
        assert!(shard.get(b"bad").is_err());
        store.get(&block.cid, None).unwrap();
    }
    shard.get_many(&cids).unwrap();
    shard.read_many(&cids, &mut Vec::new()).unwrap();
    assert!(shard.sections().unwrap().nth(3).is_some());
    assert!(store.find(&blocks[0].cid).unwrap().next().is_some());
    assert!(store.multihashes("a", None).unwrap().nth(3).is_some());
    assert!(store.shards().unwrap().next().is_some());
    store.info("a").unwrap();
    store.check(CheckOptions::new()).unwrap();
    assert!(events.next_event(Some(Duration::ZERO)).unwrap().is_some());
    let car = Car::open(folder.join("a.car")).unwrap();
    car.inspect().unwrap();
    assert!(Car::open(folder.join("none")).is_err());
}

#[test]
fn everything_that_was_used_is_given_back() {
    let drops = Arc::new(AtomicUsize::new(0));
    for round in 1..=3 {
        use_everything(&drops);
        // The library frees some handles shortly after the last release.
        wait_until("all handles are given back", || live_handles() == 0);
        wait_until("all closures are dropped", || drops.load(Ordering::SeqCst) == 3 * round);
    }
}
