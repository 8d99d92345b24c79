//! Futures: results, wakers, drops and cancellation.

mod support;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use dagstore::{
    Config, ErrorCode, Indexing, Operation, RegisterOptions, Shard, Shutdown, State, Store,
};
use support::{Folder, GatedMount, WakeCount, block_on, blocks, car, code, poll_once, wait_until};

/// A store with the lazy shard "a" behind a gate.
fn gated_store() -> (Folder, Store, Arc<GatedMount>, Vec<support::Block>) {
    let folder = Folder::new();
    let blocks = blocks(3, 100);
    let mount = GatedMount::new(car(&[], &blocks));
    let store = folder.open(Config::new().mount("gate", Arc::clone(&mount)));
    let lazy = RegisterOptions::new().indexing(Indexing::Lazy);
    store.register_with("a", "gate://a", lazy).unwrap();
    (folder, store, mount, blocks)
}

/// Makes a waker, and the count of its wakes.
fn counting_waker() -> (Arc<WakeCount>, Waker) {
    let count = Arc::new(WakeCount::default());
    (Arc::clone(&count), Waker::from(count))
}

/// Waits until the leases of a store are as many.
fn wait_for_leases(store: &Store, count: u64) {
    wait_until("leases end", || store.statistics().unwrap().leases == count);
}

#[test]
fn every_operation_has_its_result() {
    let folder = Folder::new();
    let store = folder.store();
    let blocks = blocks(3, 100);
    let url = folder.car("a.car", &[], &blocks);
    block_on(store.register_async("a", &url, RegisterOptions::new())).unwrap();
    let again = block_on(store.register_async("a", &url, RegisterOptions::new()));
    assert_eq!(code(again), ErrorCode::ShardExists);
    let lazy = RegisterOptions::new().indexing(Indexing::Lazy);
    block_on(store.register_async("lazy", &url, lazy)).unwrap();
    assert_eq!(store.state("lazy").unwrap(), Some(State::Registered));
    block_on(store.initialize_async("lazy")).unwrap();
    assert_eq!(store.state("lazy").unwrap(), Some(State::Available));
    let shard = block_on(store.acquire_async("a")).unwrap();
    assert_eq!(*shard.get(&blocks[1].cid).unwrap(), blocks[1].bytes);
    assert_eq!(code(block_on(store.destroy_async("a"))), ErrorCode::ShardInUse);
    drop(shard);
    block_on(store.destroy_async("a")).unwrap();
    let error = block_on(store.acquire_async("a")).unwrap_err();
    assert_eq!((error.code(), error.shard()), (ErrorCode::ShardUnknown, Some("a")));
    assert!(!error.message().is_empty());
    assert_eq!(code(block_on(store.recover_async("lazy"))), ErrorCode::NotFailed);
    assert_eq!(code(block_on(store.initialize_async(""))), ErrorCode::InvalidKey);
    store.shutdown(Shutdown::Wait).unwrap();
    assert_eq!(code(block_on(store.acquire_async("lazy"))), ErrorCode::Closed);
}

#[test]
fn a_recovery_completes_after_its_source_is_back() {
    let folder = Folder::new();
    let store = folder.store();
    let url = dagstore::file_url(folder.join("a.car")).unwrap();
    let registered = block_on(store.register_async("a", &url, RegisterOptions::new()));
    assert_eq!(code(registered), ErrorCode::MountGone);
    folder.car("a.car", &[], &blocks(3, 100));
    block_on(store.recover_async("a")).unwrap();
    assert!(store.acquire("a", None).is_ok());
}

#[test]
fn a_future_that_is_never_polled_does_nothing() {
    let folder = Folder::new();
    let store = folder.store();
    let url = folder.car("a.car", &[], &blocks(3, 100));
    drop(store.register_async("a", &url, RegisterOptions::new()));
    assert_eq!(store.state("a").unwrap(), None);
}

#[test]
fn a_dropped_future_wakes_no_task_and_holds_no_lease() {
    let (_folder, store, mount, _blocks) = gated_store();
    let (count, waker) = counting_waker();
    let mut future = store.acquire_async("a");
    assert!(poll_once(&mut future, &waker).is_pending());
    drop(future);
    assert_eq!(Arc::strong_count(&count), 2, "the drop gave the waker back");
    mount.open_gate();
    drop(store.acquire("a", None).unwrap());
    wait_for_leases(&store, 0);
    assert_eq!(count.get(), 0);
    // The cancelled wait did not cancel the indexing.
    assert_eq!(store.state("a").unwrap(), Some(State::Available));
}

#[test]
fn a_result_that_no_task_takes_is_given_back() {
    let (_folder, store, mount, _blocks) = gated_store();
    let (count, waker) = counting_waker();
    let mut future = store.acquire_async("a");
    assert!(poll_once(&mut future, &waker).is_pending());
    mount.open_gate();
    wait_until("the task is woken", || count.get() == 1);
    assert_eq!(store.statistics().unwrap().leases, 1);
    drop(future);
    wait_for_leases(&store, 0);
}

#[test]
fn the_last_waker_is_woken() {
    let (_folder, store, mount, _blocks) = gated_store();
    let ((first, first_waker), (second, second_waker)) = (counting_waker(), counting_waker());
    let mut future = store.acquire_async("a");
    assert!(poll_once(&mut future, &first_waker).is_pending());
    assert!(poll_once(&mut future, &first_waker).is_pending());
    assert!(poll_once(&mut future, &second_waker).is_pending());
    drop(first_waker);
    assert_eq!(Arc::strong_count(&first), 1);
    mount.open_gate();
    wait_until("the second task is woken", || second.get() == 1);
    assert_eq!(first.get(), 0);
    assert!(matches!(poll_once(&mut future, &second_waker), Poll::Ready(Ok(_))));
    let again = catch_unwind(AssertUnwindSafe(|| poll_once(&mut future, &second_waker)));
    assert!(again.is_err());
}

/// The tasks of a small executor: their numbers, when they are woken.
struct Task {
    number: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.number);
    }
}

#[test]
fn ten_thousand_acquires_wait_at_once() {
    let (_folder, store, mount, blocks) = gated_store();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut futures: Vec<Option<Operation<Shard>>> = Vec::new();
    let wakers: Vec<Waker> = (0..10_000)
        .map(|number| Waker::from(Arc::new(Task { number, woken: Arc::clone(&woken) })))
        .collect();
    for waker in &wakers {
        let mut future = store.acquire_async("a");
        assert!(poll_once(&mut future, waker).is_pending());
        futures.push(Some(future));
    }
    // Half of the tasks give up.
    for future in futures.iter_mut().step_by(2) {
        *future = None;
    }
    wait_until("the source opens", || mount.waiting() > 0);
    mount.open_gate();
    let (mut leases, mut wakes) = (Vec::new(), Vec::new());
    wait_until("the other half has leases", || {
        let batch = std::mem::take(&mut *woken.lock().unwrap());
        for &number in &batch {
            let Some(future) = &mut futures[number] else { continue };
            match poll_once(future, &wakers[number]) {
                Poll::Ready(lease) => leases.push(lease.unwrap()),
                Poll::Pending => panic!("task {number} was woken too early"),
            }
        }
        wakes.extend(batch);
        leases.len() == 5_000
    });
    wakes.sort_unstable();
    assert_eq!(wakes, (1..10_000).step_by(2).collect::<Vec<_>>());
    assert_eq!(*leases[4_999].get(&blocks[0].cid).unwrap(), blocks[0].bytes);
    drop(leases);
    // Cancelled waits end shortly after their futures.
    wait_until("no lease and no wait is left", || store.destroy("a").is_ok());
}

#[test]
fn closing_the_store_ends_all_futures() {
    let (_folder, store, mount, _blocks) = gated_store();
    let (count, waker) = counting_waker();
    let mut futures: Vec<_> = (0..100).map(|_| store.acquire_async("a")).collect();
    for future in &mut futures {
        assert!(poll_once(future, &waker).is_pending());
    }
    wait_until("the source opens", || mount.waiting() > 0);
    let closer = {
        let store = store.clone();
        thread::spawn(move || store.shutdown(Shutdown::Cancel))
    };
    wait_until("the store is closed", || store.state("a").is_err());
    mount.open_gate();
    closer.join().unwrap().unwrap();
    assert_eq!(count.get(), 100);
    for future in &mut futures {
        match poll_once(future, &waker) {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => {
                assert!(matches!(error.code(), ErrorCode::Closed | ErrorCode::Cancelled), "{error}")
            }
            Poll::Pending => panic!("an operation has no result after the store closed"),
        }
    }
}

#[test]
fn a_future_keeps_its_store_open() {
    let (folder, store, mount, _blocks) = gated_store();
    let future = store.acquire_async("a");
    drop(store);
    assert_eq!(code(Store::open(folder.join("store"))), ErrorCode::CatalogLocked);
    mount.open_gate();
    drop(block_on(future).unwrap());
    wait_until("the store is closed", || Store::open(folder.join("store")).is_ok());
}

/// Drops something when it is woken, on the store's thread for completions.
struct DropOnWake<T>(Mutex<Option<T>>, AtomicUsize);

impl<T: Send + 'static> Wake for DropOnWake<T> {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().take();
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_completion_may_drop_the_last_future_and_the_store() {
    let (folder, store, mount, _blocks) = gated_store();
    let holder = Arc::new(DropOnWake(Mutex::new(None), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&holder));
    let mut future = store.acquire_async("a");
    assert!(poll_once(&mut future, &waker).is_pending());
    *holder.0.lock().unwrap() = Some((future, store));
    mount.open_gate();
    wait_until("the completion has run", || holder.1.load(Ordering::SeqCst) == 1);
    wait_until("the store is closed", || Store::open(folder.join("store")).is_ok());
}

/// Panics when it is woken.
struct PanicOnWake;

impl Wake for PanicOnWake {
    fn wake(self: Arc<Self>) {
        panic!("a test's waker panics");
    }
}

#[test]
fn a_waker_that_panics_harms_no_other_task() {
    let (_folder, store, mount, _blocks) = gated_store();
    let mut bad = store.acquire_async("a");
    assert!(poll_once(&mut bad, &Waker::from(Arc::new(PanicOnWake))).is_pending());
    let (count, waker) = counting_waker();
    let mut good = store.acquire_async("a");
    assert!(poll_once(&mut good, &waker).is_pending());
    mount.open_gate();
    wait_until("the other task is woken", || count.get() == 1);
    assert!(matches!(poll_once(&mut good, &waker), Poll::Ready(Ok(_))));
    assert!(matches!(poll_once(&mut bad, &waker), Poll::Ready(Ok(_))));
}

#[test]
fn threads_race_with_completions() {
    let folder = Folder::new();
    let store = folder.store();
    let url = folder.car("a.car", &[], &blocks(3, 100));
    store.register("a", &url).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let (_, waker) = counting_waker();
                for round in 0..500 {
                    let mut future = store.acquire_async("a");
                    let _ = poll_once(&mut future, &waker);
                    match (round + thread) % 3 {
                        0 => drop(future),
                        1 => drop(block_on(future).unwrap()),
                        _ => {
                            let _ = poll_once(&mut future, &waker);
                        }
                    }
                }
            });
        }
    });
    // Cancelled waits end shortly after their futures.
    wait_until("no lease and no wait is left", || store.destroy("a").is_ok());
}

#[test]
fn futures_move_between_threads() {
    fn assert_send<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let (_folder, store, mount, _blocks) = gated_store();
    let future = assert_send(store.acquire_async("a"));
    assert_eq!(format!("{future:?}"), "Operation { stage: \"new\", .. }");
    let waiter = thread::spawn(move || block_on(future).map(|shard| shard.block_count()));
    wait_until("the source opens", || mount.waiting() > 0);
    assert_eq!(
        code(store.acquire("a", Some(Duration::from_millis(1)))),
        ErrorCode::DeadlineExceeded
    );
    mount.open_gate();
    assert_eq!(waiter.join().unwrap().unwrap(), 3);
}
