// For the examples of the documentation: makes a folder with a CAR whose one block is "hello", and
// returns the folder, the CAR's path and the block's CID.
{
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("dagstore-example-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let cid = *b"\x01\x55\x12\x20\x2c\xf2\x4d\xba\x5f\xb0\xa3\x0e\x26\xe8\x3b\x2a\xc5\xb9\xe2\x9e\
        \x1b\x16\x1e\x5c\x1f\xa7\x42\x5e\x73\x04\x33\x62\x93\x8b\x98\x24";
    // The header {"roots": [], "version": 1}, and a section: its size, the CID, the block.
    let mut bytes = b"\x11\xa2\x65roots\x80\x67version\x01\x29".to_vec();
    bytes.extend_from_slice(&cid);
    bytes.extend_from_slice(b"hello");
    let car = folder.join("hello.car");
    std::fs::write(&car, bytes).unwrap();
    (folder, car, cid)
}
