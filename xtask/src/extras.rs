//! `cargo xtask extras`: programs that some tests start, as this Debian has them: Prometheus unpacked into the cache and installed
//! nowhere, Chromium installed with all that it needs, which takes root.

use crate::host;

/// Their packages.
const PACKAGES: [&str; 1] = ["prometheus"];

pub(crate) fn run() -> Result<(), String> {
    let dir = host::cache()?.join("extras");
    let failed = |error: std::io::Error| format!("cannot use {}: {error}", dir.display());
    std::fs::create_dir_all(&dir).map_err(failed)?;
    host::program("apt-get").args(["download"]).args(PACKAGES).directory(&dir).run().map_err(|why| {
        format!("{why}; apt-get of Debian brings them, elsewhere put prometheus and promtool on PATH")
    })?;
    for entry in std::fs::read_dir(&dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "deb") {
            host::program("dpkg-deb").args(["-x".as_ref(), path.as_os_str(), dir.as_os_str()]).run()?;
            std::fs::remove_file(&path).map_err(failed)?;
        }
    }
    println!("{}", dir.join("usr").join("bin").display());
    if host::program("chromium").args(["--version"]).output().is_err() {
        host::program("apt-get").args(["install", "--yes", "--no-install-recommends", "chromium"]).run().map_err(
            |why| {
                format!(
                    "{why}; as root: apt-get install chromium. Without it the test of the page says that it is skipped"
                )
            },
        )?;
    }
    Ok(())
}
