//! Writes what the fuzz targets start from: `fuzz/seeds/<target>`, good inputs made of the real data in
//! `tests/data`, and `fuzz/dictionaries/<target>`, the words that inputs are made of.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use bodies::Body;

fn main() -> std::io::Result<()> {
    write::<bodies::chunk::Chunk>()?;
    write::<bodies::event::Event>()?;
    write::<bodies::record::Record>()?;
    write::<bodies::secret::Secret>()?;
    write::<bodies::template::Template>()?;
    write::<bodies::config::Config>()?;
    write::<bodies::watch::Watch>()?;
    write::<bodies::tenants::Tenants>()?;
    write::<bodies::answer::Answer>()
}

fn write<B: Body>() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("seeds").join(B::NAME);
    fs::create_dir_all(&folder)?;
    let seeds = B::seeds();
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:04}")), seed)?;
    }
    let mut dictionary = String::new();
    for word in B::WORDS {
        let bytes = word.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "\\x{byte:02x}");
            text
        });
        let _ = writeln!(dictionary, "\"{bytes}\"");
    }
    fs::create_dir_all(root.join("dictionaries"))?;
    fs::write(root.join("dictionaries").join(B::NAME), dictionary)?;
    println!("{} seeds for {}", seeds.len(), B::NAME);
    Ok(())
}
