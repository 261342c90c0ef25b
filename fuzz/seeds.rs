//! Writes `fuzz/corpus/chunk`: the records of the real chunks in tests/data, one and three to a file, in
//! each framing that a host uses.

use std::fs;
use std::path::Path;

use event_gateway::record::chunk::Records;

/// How hosts before 5 begin the same record, and how the old framing does.
const OLDER: [&[u8]; 2] = [&[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2], &[0x92]];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus/chunk");
    fs::create_dir_all(&corpus)?;
    let mut count = 0;
    let mut write = |bytes: &[u8]| {
        count += 1;
        fs::write(corpus.join(format!("seed-{count:04}")), bytes)
    };
    for name in ["chunk-list.msgpack", "chunk-watch.msgpack", "chunk-audit-in-http.msgpack"] {
        let chunk = fs::read(root.join("../tests/data").join(name))?;
        let envelopes: Vec<_> = Records::new(&chunk).flatten().collect();
        let mut starts: Vec<_> = envelopes.iter().map(|envelope| envelope.offset).collect();
        starts.push(chunk.len());
        for (place, envelope) in envelopes.iter().enumerate().step_by(5) {
            let record = &chunk[envelope.offset..starts[place + 1]];
            write(record)?;
            write(&chunk[envelope.offset..starts[(place + 3).min(envelopes.len())]])?;
            let time = &record[2..12];
            write(&[OLDER[0], time, &[0xdf, 0, 0, 0, 0], envelope.body].concat())?;
            write(&[OLDER[1], time, envelope.body].concat())?;
        }
    }
    println!("{count} seeds in {}", corpus.display());
    Ok(())
}
