//! Panics where a model asks for one. Without the panic hook, which would print a schedule for each.

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;

/// What such a panic says, to tell it from the fault that a model looks for.
const ASKED: &str = "a test asked for it";

thread_local!(static SET: Cell<Option<&'static str>> = const { Cell::new(None) });

/// The next time this place is passed, it panics.
pub fn set(place: Option<&'static str>) {
    SET.set(place);
}

pub fn hit(place: &str) {
    if SET.get() == Some(place) {
        SET.set(None);
        panic_quietly();
    }
}

pub fn panic_quietly() -> ! {
    resume_unwind(Box::new(ASKED))
}

pub fn was_asked_for(panic: &(dyn Any + Send)) -> bool {
    panic.downcast_ref::<&str>() == Some(&ASKED)
}
