//! A forked child: a test program of its own, so that no other test forks.

mod support;

use std::ffi::c_int;

use dagstore::{ErrorCode, Shutdown};
use support::{Folder, block_on, blocks};

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

/// Returns 0 if a call failed because its store is the parent's, and `number` otherwise.
fn is_closed<T>(number: c_int, result: dagstore::Result<T>) -> c_int {
    match result {
        Err(error) if error.code() == ErrorCode::Closed => 0,
        _ => number,
    }
}

#[test]
fn calls_of_a_child_process_fail_and_the_parent_goes_on() {
    let folder = Folder::new();
    let blocks = blocks(3, 100);
    let store = folder.store();
    store.register("a", &folder.car("a.car", &[], &blocks)).unwrap();
    let shard = store.acquire("a", None).unwrap();
    // SAFETY: the child calls only functions that take no lock of another thread, and ends with `_exit`.
    let child = unsafe { fork() };
    if child == 0 {
        let cid = &blocks[0].cid;
        let outcomes = [
            is_closed(1, store.acquire("a", None)),
            is_closed(2, store.get(cid, None)),
            is_closed(3, store.contains(cid)),
            is_closed(4, store.statistics()),
            is_closed(5, store.destroy("a")),
            is_closed(6, block_on(store.acquire_async("a"))),
            is_closed(7, store.events(1)),
        ];
        drop(shard);
        drop(store);
        let failed = outcomes.into_iter().find(|&number| number != 0);
        // SAFETY: ends the child without the parent's exit handlers.
        unsafe { _exit(failed.unwrap_or(0)) }
    }
    assert!(child > 0);
    let mut status = -1;
    // SAFETY: `status` stays for the call.
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child's call {} succeeded, or a signal ended it", status >> 8);
    assert_eq!(*shard.get(&blocks[1].cid).unwrap(), blocks[1].bytes);
    drop(shard);
    store.destroy("a").unwrap();
    store.shutdown(Shutdown::Wait).unwrap();
}
