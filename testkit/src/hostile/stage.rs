//! Everything around one trial: the gateway that plays the plan, the servers that nobody is to speak to, the
//! token and the name; and what was seen there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::addresses::{BLACK_HOLE, NAME, STRANGER};
use super::dice::Dice;
use super::judge::Sent;
use super::load::{ASKED_FROM_BYTES, Load, TAKEN_BYTES};
use super::modes::{Mode, Place};
use super::papers::Papers;
use super::plan::Plan;
use crate::gateway::{Answer, Request, TestGateway, Welcome};
use crate::http::Head;

pub struct Stage {
    pub gateway: TestGateway,
    elsewhere: TestGateway,
    stranger: Option<TestGateway>,
    _hole: Option<BlackHole>,
    script: Arc<Script>,
    folder: PathBuf,
    tls: Option<PathBuf>,
}

/// What the gateway's threads share.
struct Script {
    plan: Plan,
    papers: Arc<Papers>,
    load: Load,
    elsewhere: String,
    /// The number of the token that the gateway wants.
    token: AtomicUsize,
    token_file: PathBuf,
    seed: u64,
    /// Answers that close the connection give connections and look-ups a chance.
    restless: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    played: BTreeMap<&'static str, usize>,
    acknowledged: BTreeSet<usize>,
}

impl Stage {
    /// In this folder, which is the trial's own.
    pub fn set(
        modes: &[&'static Mode],
        load: Load,
        papers: &Arc<Papers>,
        folder: &Path,
        dice: &mut Dice,
    ) -> Stage {
        let is_at = |wanted: fn(&Place) -> bool| modes.iter().any(|mode| wanted(&mode.place));
        let stranger_plays = modes.iter().any(|mode| mode.name == "name leads to a stranger");
        let tls = stranger_plays || modes.iter().any(|mode| mode.needs_tls()) || dice.one_in(4);
        let gateway = if tls { TestGateway::tls(papers.server()) } else { TestGateway::start() };
        let at = |address: &str| SocketAddr::new(address.parse().expect("an address"), gateway.port());
        let stranger = stranger_plays.then(|| TestGateway::tls_at(at(STRANGER), papers.stranger()));
        let hole = modes.iter().any(|mode| mode.name == "name leads into a black hole");
        let elsewhere = TestGateway::start();
        let script = Arc::new(Script {
            plan: Plan::roll(modes, dice),
            papers: Arc::clone(papers),
            load,
            elsewhere: elsewhere.url(),
            token: AtomicUsize::new(1),
            token_file: folder.join("token"),
            seed: dice.roll(),
            restless: is_at(|place| matches!(place, Place::Connection { .. } | Place::Name(_))),
            seen: Mutex::default(),
        });
        script.write_token();
        script.write_names(&folder.join("names"));
        let (greet, cut, answer) = (Arc::clone(&script), Arc::clone(&script), Arc::clone(&script));
        gateway.greet_with(move |connection| greet.welcome(connection));
        gateway.cut_with(move |head, number| cut.cut(head, number));
        gateway.respond_with(move |request| answer.answer(request));
        let hole = hole.then(|| BlackHole::dig(at(BLACK_HOLE)));
        let tls = tls.then(|| papers.trusted());
        Stage { gateway, elsewhere, stranger, _hole: hole, script, folder: folder.into(), tls }
    }

    pub fn load(&self) -> &Load {
        &self.script.load
    }

    pub fn endpoint(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{NAME}:{}/events", self.gateway.port())
    }

    /// Settings of the plugin that the stage asks for.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let token = ("bearer_token_file", text(&self.script.token_file));
        [token].into_iter().chain(self.tls.as_deref().map(|file| ("ca_file", text(file)))).collect()
    }

    /// The host's environment: the names are ours, and no proxy of this machine is asked for them.
    pub fn prepare(&self, host: &mut Command) {
        host.env("MINI_HOST_NAMES", self.folder.join("names"));
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            host.env_remove(name).env_remove(name.to_uppercase());
        }
    }

    /// How often each mode was played.
    pub fn played(&self) -> BTreeMap<&'static str, usize> {
        let mut played = self.script.seen().played.clone();
        let lookups = fs::read_to_string(self.folder.join("names.seen")).unwrap_or_default();
        for number in lookups.lines() {
            if let Some(mode) = self.script.plan.lookups.at(number.parse().expect("a number")) {
                *played.entry(mode.name).or_default() += 1;
            }
        }
        played
    }

    /// What the gateway saw, for the judge.
    pub fn sent(&self) -> Vec<Sent> {
        let seen = self.script.seen();
        let sent = |request: &Arc<Request>| Sent {
            number: request.number,
            connection: request.connection,
            key: request.header("idempotency-key").unwrap_or_default().to_owned(),
            ids: request.ids().to_vec(),
            counts: counts(request),
            taken: request.accepted(),
            acknowledged: seen.acknowledged.contains(&request.number),
        };
        self.gateway.requests().iter().map(sent).collect()
    }

    /// Who got what was not for him.
    pub fn indiscretions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.elsewhere.connections() > 0 {
            wrong.push("the plugin followed a redirect".to_owned());
        }
        if self.stranger.as_ref().is_some_and(|stranger| !stranger.requests().is_empty()) {
            wrong.push("the plugin sent requests to a stranger".to_owned());
        }
        for request in self.gateway.requests() {
            if !self.script.papers.is_good(&self.script.look(request.connection)) {
                wrong.push(format!(
                    "request {} went out under a certificate that is not to be trusted",
                    request.number
                ));
            }
        }
        wrong
    }
}

/// The count and the new occurrences of each record; empty where a format does not have them.
fn counts(request: &Request) -> Vec<(u64, u64)> {
    let of = |record: &serde_json::Value| {
        let document = record.get("data").unwrap_or(record);
        Some((document.get("count")?.as_u64()?, document.get("new_occurrences")?.as_u64()?))
    };
    request.records().iter().map(of).collect::<Option<Vec<_>>>().unwrap_or_default()
}

impl Script {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn played(&self, mode: &Mode) {
        *self.seen().played.entry(mode.name).or_default() += 1;
    }

    /// How a connection is met.
    fn look(&self, connection: usize) -> Welcome {
        match self.plan.connections.at(connection).map(|mode| &mode.place) {
            Some(Place::Connection { welcome, .. }) => welcome(&self.papers),
            _ => Welcome::Usual,
        }
    }

    fn welcome(&self, connection: usize) -> Welcome {
        if let Some(mode) = self.plan.connections.at(connection) {
            self.played(mode);
        }
        self.look(connection)
    }

    fn cut(&self, head: &Head, number: usize) -> Option<Answer> {
        let mode = self.plan.requests.at(number)?;
        let is_large = || {
            let length = head.header("content-length").and_then(|length| length.parse().ok());
            length.is_some_and(|bytes: usize| bytes >= ASKED_FROM_BYTES)
        };
        let answer = match mode.place {
            Place::Head(answer) => answer(),
            Place::Asked(answer) if head.header("expect").is_some() => {
                answer(&mut Dice(self.seed ^ number as u64))
            }
            Place::Asked(_) if is_large() => Answer::close_before_body(),
            _ => return None,
        };
        self.played(mode);
        Some(answer)
    }

    fn answer(&self, request: &Request) -> Answer {
        let number = request.number;
        let mut dice = Dice(self.seed ^ number as u64);
        let mode = self.plan.requests.at(number);
        if matches!(mode, Some(Mode { place: Place::Token, .. })) {
            return self.spoil(mode, self.unknown_token(number));
        }
        let wanted = format!("Bearer token-{}", self.token.load(SeqCst));
        if request.header("authorization") != Some(&wanted) {
            // The last request of a spell may have died with its host, before it was read.
            self.write_token();
            return Answer::status(401);
        }
        let spoiled = match mode.map(|mode| &mode.place) {
            Some(Place::Answer(answer)) => Some(answer(&mut dice)),
            Some(Place::Redirect(answer)) => Some(answer(&self.elsewhere, &mut dice)),
            _ => None,
        };
        // What is never taken is not taken by error either.
        let refusal = self.refusal(request);
        match (spoiled, refusal) {
            (Some(spoiled), None) => self.spoil(mode, spoiled),
            (Some(spoiled), Some(_)) if !spoiled.accepts() => self.spoil(mode, spoiled),
            (_, Some((name, refusal))) => {
                *self.seen().played.entry(name).or_default() += 1;
                refusal
            }
            (None, None) => {
                self.seen().acknowledged.insert(request.number);
                let answer = Answer::ok();
                if self.restless && dice.one_in(2) { answer.then_close() } else { answer }
            }
        }
    }

    fn spoil(&self, mode: Option<&Mode>, answer: Answer) -> Answer {
        mode.inspect(|mode| self.played(mode));
        answer
    }

    /// What is never taken, by the mode that says so.
    fn refusal(&self, request: &Request) -> Option<(&'static str, Answer)> {
        let (load, chosen) = (&self.load, |id: &String| self.load.chosen.contains(id));
        if request.body.len() > TAKEN_BYTES && !load.oversize.is_empty() {
            Some(("413 above a size", Answer::status(413).body("too large")))
        } else if request.ids().iter().any(chosen) {
            Some(("400 for chosen ids", Answer::status(400).body("not this one")))
        } else {
            None
        }
    }

    /// The first of a spell makes the old token useless, the last puts the new one where the plugin finds it.
    fn unknown_token(&self, number: usize) -> Answer {
        let spells = &self.plan.requests;
        if number == 1 || spells.ends_at(number - 1) || spells.at(number - 1).is_none() {
            self.token.fetch_add(1, SeqCst);
        }
        if spells.ends_at(number) {
            self.write_token();
        }
        Answer::status(401)
    }

    /// By a rename, as whoever reads half a token would be right to complain.
    fn write_token(&self) {
        let fresh = self.token_file.with_extension("new");
        fs::write(&fresh, format!("token-{}\n", self.token.load(SeqCst))).expect("a token");
        fs::rename(&fresh, &self.token_file).expect("the token in its place");
    }

    /// A line for each look-up that is spoiled, and the gateway's address for the rest.
    fn write_names(&self, file: &Path) {
        let mut dice = Dice(self.seed);
        let lookups = &self.plan.lookups;
        let lines = (1..=lookups.len() + 1).map(|number| match lookups.at(number).map(|mode| &mode.place) {
            Some(Place::Name(line)) => line(&mut dice) + "\n",
            _ => "127.0.0.1\n".to_owned(),
        });
        fs::write(file, format!("{NAME}\n{}", lines.collect::<String>())).expect("names");
    }
}

/// A listener whose queue is full and stays so: the kernel drops whoever wants to connect.
struct BlackHole {
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    fn dig(address: SocketAddr) -> BlackHole {
        let listener = TcpListener::bind(address).expect("a port of our own address");
        shorten_queue(&listener).expect("a short queue");
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            queued.push(stream);
            assert!(queued.len() < 16, "the queue is never full");
        }
        BlackHole { _listener: listener, _queued: queued }
    }
}

#[allow(unsafe_code)]
fn shorten_queue(listener: &TcpListener) -> io::Result<()> {
    // SAFETY: listen(2) touches no memory, and the descriptor is open.
    match unsafe { libc::listen(listener.as_raw_fd(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
