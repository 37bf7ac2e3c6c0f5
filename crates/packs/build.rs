//! The built-in packs are compiled in; a file added to or removed from the folder makes this crate be built again.

fn main() {
    // The only way in which a build script speaks to cargo is its standard output.
    #[expect(clippy::print_stdout, reason = "cargo reads build instructions from standard output")]
    {
        println!("cargo::rerun-if-changed=../../packs");
        println!("cargo::rerun-if-changed=build.rs");
    }
}
