//! The folder that `npm run build` fills must exist before the binary embeds it, so that `cargo check` works on a
//! machine without npm. An empty folder is no user interface: the binary says so when it serves a page.

fn main() -> std::io::Result<()> {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    std::fs::create_dir_all(&dist)?;
    // Cargo looks at the newest file below a folder it is told to watch.
    println!("cargo::rerun-if-changed={}", dist.display());
    Ok(())
}
