//! A library of another version: the binding refuses it with both versions in the message.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Folder, example};

/// The text of the raw bindings, for the names of all functions.
const BINDINGS: &str = include_str!("../../dagstore-sys/src/bindings.rs");

/// Builds a library that has all functions and another version.
fn build_library(folder: &Path, abi_version: u32, release: &str) {
    let mut text = format!(
        "unsigned dagstore_abi_version(void) {{ return {abi_version}; }}\n\
         const char *dagstore_version(void) {{ return \"{release}\"; }}\n"
    );
    for part in BINDINGS.split("pub fn ").skip(1) {
        let name = part.split('(').next().unwrap();
        if !text.contains(&format!("{name}(void)")) {
            text += &format!("int {name}(void) {{ return 0; }}\n");
        }
    }
    fs::write(folder.join("library.c"), text).unwrap();
    // The loader looks for the names under this version.
    fs::write(folder.join("library.map"), "DAGSTORE_1 { global: dagstore_*; };").unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "library.c", "-o", "libdagstore.so.1"]);
    compiler.args(["-Wl,-soname,libdagstore.so.1", "-Wl,--version-script,library.map"]);
    assert!(compiler.current_dir(folder).status().unwrap().success());
}

#[test]
fn libraries_of_other_versions_are_refused() {
    for (abi_version, release) in [(2, "9.8.7"), (0, "0.0.1"), (1, "0.0.1")] {
        let folder = Folder::new();
        build_library(folder.path(), abi_version, release);
        let store = folder.join("store");
        let output = Command::new(example("serve"))
            .args([&store, folder.path()])
            .arg("127.0.0.1:0")
            .env("LD_LIBRARY_PATH", folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        let library = format!("libdagstore {release} has ABI version {abi_version}");
        assert!(message.contains(&library), "{message}");
        assert!(message.contains("needs ABI version 1 of release 0.1.0"), "{message}");
        assert!(message.contains("incompatibleLibrary"), "{message}");
        assert!(!store.exists());
    }
}
