//! Finds libdagstore, and tells the compiler where it is.
//!
//! `DAGSTORE_PREFIX` names an installation, with `lib` and `include` below it. Without the variable
//! the script asks `pkg-config`. The script adds no rpath: the loader finds the library in its
//! usual places or through `LD_LIBRARY_PATH`.

use std::env;
use std::path::Path;
use std::process::{Command, exit};

fn main() {
    for name in ["DAGSTORE_PREFIX", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if env::var_os("DOCS_RS").is_some() {
        return; // docs.rs links nothing.
    }
    let found = match env::var("DAGSTORE_PREFIX") {
        Ok(prefix) => in_prefix(&prefix),
        Err(_) => ask_pkg_config(),
    };
    if let Err(message) = found {
        eprintln!(
            "dagstore-sys: {message}; set DAGSTORE_PREFIX to the folder that libdagstore was \
             installed to, or PKG_CONFIG_PATH to the folder of dagstore.pc"
        );
        exit(1);
    }
}

/// Uses an installation below a prefix.
fn in_prefix(prefix: &str) -> Result<(), String> {
    let prefix = Path::new(prefix);
    let include = prefix.join("include");
    let header = include.join("dagstore.h");
    if !header.is_file() {
        return Err(format!("{} is missing", header.display()));
    }
    link(&[prefix.join("lib").display().to_string()], &["dagstore".to_string()]);
    publish(&include.display().to_string());
    Ok(())
}

/// Uses the installation that `pkg-config` knows.
fn ask_pkg_config() -> Result<(), String> {
    let flags = pkg_config(&["--libs", "dagstore"])?;
    let words: Vec<&str> = flags.split_whitespace().collect();
    let with = |prefix: &str| -> Vec<String> {
        let words = words.iter();
        words.filter_map(|word| word.strip_prefix(prefix).map(String::from)).collect()
    };
    link(&with("-L"), &with("-l"));
    publish(pkg_config(&["--variable=includedir", "dagstore"])?.trim());
    Ok(())
}

/// Runs `pkg-config`, and returns what it prints.
fn pkg_config(arguments: &[&str]) -> Result<String, String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_string());
    let output = Command::new(&program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} does not find dagstore: {}", reason.trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}"))
}

/// Prints the flags for the linker.
fn link(folders: &[String], libraries: &[String]) {
    for folder in folders {
        println!("cargo::rustc-link-search=native={folder}");
    }
    for library in libraries {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
    println!("cargo::rustc-env=DAGSTORE_LIBRARY_FOLDERS={}", folders.join(":"));
}

/// Tells the tests, and the build scripts of dependent crates, where the header is.
fn publish(include: &str) {
    println!("cargo::rerun-if-changed={include}/dagstore.h");
    println!("cargo::rustc-env=DAGSTORE_INCLUDE={include}");
    println!("cargo::metadata=include={include}");
}
