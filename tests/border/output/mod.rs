//! The border to Fluent Bit: what the mini host sees of the output, under each trouble a host can make.
//! Each file here asks one question.

mod clock;
mod cycles;
mod disk_faults;
mod disk_trouble;
mod panic_storm;
mod panics;
mod reload;
mod stack;
mod unread_state;
mod valgrind;
mod versions;
mod voice;
mod wait;
mod waker;

use testkit as support;
use testkit::{dice, held, small_disk};
