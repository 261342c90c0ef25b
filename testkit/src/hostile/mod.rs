//! A hostile world for the plugin: a gateway, its certificates, its name and its token, which fail in every
//! way of one table, at moments that a seed chooses, and are well afterwards.
//!
//! - `dice`: what makes a seed all there is to a trial
//! - `addresses`: who has which name and address
//! - `modes`: the table
//! - `answers`: what the gateway says in them
//! - `plan`: which mode is played when
//! - `papers`: certificates, good and bad
//! - `stage`: all of it put up around one trial, and what was seen there
//! - `load`: what the source brings
//! - `lives`: a host that delivers it, and its deaths
//! - `metronome`: whether the machine stood still, and not the engine
//! - `judge`: what may have come of it
mod addresses;
mod answers;
pub use crate::dice;
pub mod judge;
mod lives;
mod load;
mod metronome;
mod modes;
mod papers;
mod plan;
mod stage;

pub use judge::{Account, Guarantee, Sent, judge};
pub use lives::{Outcome, trial};
pub use metronome::Metronome;
pub use modes::{MODES, Mode, Place, by_name};
pub use papers::Papers;
