//! Does the plugin come and go, hundreds of times, and leave neither a thread nor a descriptor nor memory behind?
//!
//! CYCLES (100) of load, init, flushes, reload, exit and unload. Some flushes are given up in the middle, as a host
//! does it at the end of its grace: their stacks are never unwound.

use std::time::Duration;

use super::support;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::variables::number_from;

/// The allocator, and what else is made once, has all it needs after so many.
const WARM_UP: usize = 20;
/// No two runs are alike.
const MOST_BYTES: usize = 8 << 10;
/// A gateway takes so long, and the host goes sooner or later, as it comes.
const PAUSE: Duration = Duration::from_millis(30);
/// Below the smallest block of anything that a cycle could forget.
const MOST_BYTES_A_CYCLE: usize = 16;
/// The loader keeps a few bytes of each file that it opens.
const CYCLES_A_LOAD: usize = 10;

/// What a host holds, with nothing loaded.
#[derive(Debug, Clone, Copy)]
struct Held {
    threads: usize,
    descriptors: usize,
    heap_bytes: usize,
    resident_kib: usize,
}

fn held(host: &mut MiniHost) -> Held {
    Held {
        threads: host.threads(),
        descriptors: host.fds(),
        heap_bytes: host.heap_bytes(),
        resident_kib: host.rss_kib(),
    }
}

/// How many of its flushes the host gave up.
fn cycle(host: &mut MiniHost, gateway: &TestGateway, number: usize) -> usize {
    if number.is_multiple_of(CYCLES_A_LOAD) {
        host.load(&MiniHost::plugin_path());
    }
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events([format!("{number} first")])), Code::Ok);
    let mut given_up_ones = 0;
    for end in ["reload", "exit"] {
        // The others race, whoever wins.
        let is_hopeless = end == "exit" && number.is_multiple_of(CYCLES_A_LOAD);
        gateway.answer(if is_hopeless { Answer::hang() } else { Answer::ok().delay_before(PAUSE) });
        let requests = gateway.requests().len();
        let given_up = host.flush("a", "t", &events([format!("{number} {end}")]));
        gateway.wait_for_requests(requests + 1);
        match end {
            "reload" => assert!(host.reload().ok),
            _ => drop(host.exit("a")),
        }
        given_up_ones += usize::from(host.wait(given_up) == Code::Abandoned);
    }
    if number % CYCLES_A_LOAD == CYCLES_A_LOAD - 1 {
        host.unload();
    }
    given_up_ones
}

#[test]
fn a_cycle_leaves_nothing_behind() {
    let cycles = number_from::<usize>("CYCLES").unwrap_or(100).next_multiple_of(CYCLES_A_LOAD);
    let gateway = TestGateway::start();
    let mut host = MiniHost::start_empty(Build::V5_1_1, |command| {
        // What a thread keeps for itself, and each further arena, would count as memory in use.
        command.env("MALLOC_ARENA_MAX", "1").env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    });
    host.set("a", "endpoint", gateway.url());
    let run = |host: &mut MiniHost, numbers: std::ops::Range<usize>| {
        let mut given_up = 0;
        for number in numbers {
            given_up += cycle(host, &gateway, number);
            if number % 100 == 99 {
                gateway.forget_requests();
            }
        }
        (held(host), given_up)
    };
    let (before, _) = run(&mut host, 0..WARM_UP);
    let (after, given_up) = run(&mut host, WARM_UP..WARM_UP + cycles);
    println!("{cycles} cycles, {given_up} flushes given up: {before:?} {after:?}");
    assert!(
        given_up >= cycles / CYCLES_A_LOAD,
        "{given_up} of the flushes were given up: too few to show anything"
    );
    assert_eq!((after.threads, after.descriptors), (before.threads, before.descriptors));
    let grown = after.heap_bytes.saturating_sub(before.heap_bytes);
    let most = MOST_BYTES + MOST_BYTES_A_CYCLE * cycles;
    assert!(grown <= most, "{grown} bytes more are in use after {cycles} cycles");
    let grown_kib = after.resident_kib.saturating_sub(before.resident_kib);
    assert!(grown_kib < 500 + cycles, "{grown_kib} KiB more are resident after {cycles} cycles");
    host.quit();
}
