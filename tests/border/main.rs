//! The border to Fluent Bit: what the mini host sees of the output, under each trouble a host can make.
//! Each file here asks one question.

mod bell;
mod clock;
mod cycles;
#[path = "../support/dice.rs"]
mod dice;
mod disk_faults;
mod disk_trouble;
#[path = "../support/held.rs"]
mod held;
mod panic_storm;
mod panics;
mod reload;
#[path = "../support/small_disk.rs"]
mod small_disk;
mod stack;
#[path = "../support/mod.rs"]
mod support;
mod unread_state;
mod valgrind;
mod versions;
mod voice;
mod wait;
