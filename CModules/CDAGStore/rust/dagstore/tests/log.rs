//! The log of the process: a test program of its own, because there is one receiver.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dagstore::LogLevel;
use support::{Folder, blocks, wait_until};

#[test]
fn the_receiver_gets_lines_until_it_is_replaced() {
    let folder = Folder::new();
    let lines: Arc<Mutex<Vec<(LogLevel, String)>>> = Arc::default();
    let receiver = Arc::clone(&lines);
    dagstore::set_log(LogLevel::Debug, move |level, line| {
        receiver.lock().unwrap().push((level, line.to_string()));
    })
    .unwrap();
    let store = folder.store();
    store.register("a", &folder.car("a.car", &[], &blocks(3, 100))).unwrap();
    drop(store.acquire("a", None).unwrap());
    assert!(store.register("gone", "file:///nowhere/gone.car").is_err());
    drop(store);

    // The previous receiver gets all earlier lines, and none afterwards.
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    dagstore::set_log(LogLevel::Info, move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("the receiver of a test panics");
    })
    .unwrap();
    assert_eq!(Arc::strong_count(&lines), 1);
    {
        let lines = lines.lock().unwrap();
        let has = |level, text: &str| {
            lines.iter().any(|(found, line)| *found == level && line.contains(text))
        };
        assert!(has(LogLevel::Info, "shard a"), "{lines:?}");
        assert!(has(LogLevel::Debug, "shard a"), "{lines:?}");
        assert!(has(LogLevel::Warning, "gone"), "{lines:?}");
        assert!(lines.iter().all(|(_, line)| !line.contains('\n')));
    }
    drop(folder.store());
    wait_until("a receiver that panics gets the next line", || count.load(Ordering::SeqCst) >= 2);

    // A receiver replaces itself.
    let replaced = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&replaced);
    dagstore::set_log(LogLevel::Info, move |_, _| {
        let counter = Arc::clone(&counter);
        counter.fetch_add(1, Ordering::SeqCst);
        dagstore::set_log(LogLevel::Info, move |_, _| {
            counter.fetch_add(1000, Ordering::SeqCst);
        })
        .unwrap();
    })
    .unwrap();
    drop(folder.store());
    wait_until("the second receiver gets a line", || replaced.load(Ordering::SeqCst) >= 1000);
    dagstore::remove_log().unwrap();
    let lines_so_far = replaced.load(Ordering::SeqCst);
    assert_eq!(lines_so_far % 1000, 1, "the first receiver gets one line");
    assert_eq!(Arc::strong_count(&replaced), 1);
    drop(folder.store());
    assert_eq!(replaced.load(Ordering::SeqCst), lines_so_far);
}
