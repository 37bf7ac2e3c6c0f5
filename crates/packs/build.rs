//! The built-in packs are compiled in; a file added to or removed from the folder makes this crate be built again.

fn main() {
    println!("cargo::rerun-if-changed=../../packs");
    println!("cargo::rerun-if-changed=build.rs");
}
