//! Does anything that a hostile gateway does stop another input of a real Fluent Bit, or lose an event there?
#![allow(clippy::disallowed_methods)] // a test that measures reads the clock, where the plugin may not

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::{hostile, pulse, real, support};
use hostile::dice::Dice;
use hostile::{MODES, Mode, Place};
use pulse::{Beats, Pulse};
use real::{config, on_every_host, state_file, stop};
use support::chunk;
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;

/// The pulse beats every 100 ms and is flushed as often.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);
/// The host comes back after seconds, and most modes cost such a wait.
const BOUND: Duration = Duration::from_secs(180);

/// What can be played to a host whose names and certificates are not ours: every second request, each mode once.
fn playable() -> Vec<&'static Mode> {
    let plays = |mode: &&Mode| matches!(mode.place, Place::Answer(_) | Place::Redirect(_) | Place::Head(_));
    MODES.iter().filter(plays).collect()
}

#[test]
#[allow(clippy::print_stdout)]
fn every_answer_of_the_table_leaves_the_engine_alone() {
    on_every_host(|fluent_bit, folder| {
        let listed: Vec<_> = chunk::listed_events().into_iter().take(200).collect();
        let wanted: BTreeSet<_> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway) = (KubeApi::holding(listed), TestGateway::start());
        let (pulse, elsewhere) = (Pulse::start("10"), TestGateway::start());
        let (played, elsewhere_url) = (Arc::new(Mutex::new(BTreeSet::new())), elsewhere.url());
        let at = |number: usize| {
            let mode = playable().get(number.checked_sub(1)? / 2).copied()?;
            number.is_multiple_of(2).then_some(mode)
        };
        let heads = Arc::clone(&played);
        gateway.cut_with(move |_, number| match at(number) {
            Some(Mode { name, place: Place::Head(answer), .. }) => {
                heads.lock().expect("no panic").insert(*name);
                Some(answer())
            }
            _ => None,
        });
        let answers = Arc::clone(&played);
        gateway.respond_with(move |request| {
            let Some(mode) = at(request.number) else { return Answer::ok() };
            answers.lock().expect("no panic").insert(mode.name);
            let mut dice = Dice(request.number as u64);
            match mode.place {
                Place::Answer(answer) => answer(&mut dice),
                Place::Redirect(answer) => answer(&elsewhere_url, &mut dice),
                _ => Answer::ok(),
            }
        });

        let (url, ledger) = (gateway.url(), state_file(folder));
        let settings =
            [("endpoint", &*url), ("state_file", &ledger), ("timeout", "500ms"), ("batch_events", "2")];
        let config = pulse.beside(config(folder).service("flush", "0.1"), &api.url(), &settings);

        let host = fluent_bit.start(&config.text(), folder);
        let began = gateway.wait_for_requests(1)[0].arrived;
        gateway.wait_for("every event", BOUND, |requests| {
            let taken: BTreeSet<_> = requests.iter().filter(|r| r.accepted()).flat_map(|r| r.ids()).collect();
            taken.len() == wanted.len()
        });
        let ended = Instant::now();
        let Beats { count, longest_silence } = pulse.between(began, ended);
        let played = played.lock().expect("no panic").len();
        println!(
            "{played} modes in {:.1} s, {count} pulses, longest silence {} ms",
            (ended - began).as_secs_f64(),
            longest_silence.as_millis()
        );
        assert_eq!(played, playable().len(), "modes played");
        assert!(longest_silence < LONGEST_SILENCE, "the engine stood still for {longest_silence:?}");
        assert_eq!(elsewhere.connections(), 0, "the plugin followed a redirect");
        let count = stop(host);
        assert_eq!(count.delivered, wanted.len() as u64, "each is acknowledged once: {count:?}");
    });
}
