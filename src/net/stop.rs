//! Stops a running request from another thread.
//!
//! The host's exit callback waits for our threads, and a remote endpoint that hangs must not make it wait for a whole
//! `timeout`. A stop closes the connections of the current agent, which wakes a thread that reads or writes on one, and
//! it ends the pauses between quick tries and the wait for a name. Only a TCP connect to an address that does not answer
//! cannot be interrupted; its time is bounded (`agent::LONGEST_CONNECT`).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::Agent;

/// Stops one client. Its clones stop the same client.
#[derive(Clone)]
pub struct Stopper {
    signal: Arc<StopSignal>,
    /// The agent in use. It is not part of the signal, because the agent itself holds the signal.
    agent: Arc<Mutex<Option<Agent>>>,
}

/// Whether to stop, for threads that wait.
#[derive(Debug, Default)]
pub struct StopSignal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stopper {
    /// Without a request in flight.
    #[must_use]
    pub fn new(signal: Arc<StopSignal>) -> Self {
        Self { signal, agent: Arc::default() }
    }

    /// Interrupts the request in flight, and makes every later one fail at once.
    pub fn stop(&self) {
        self.signal.set();
        // Shut down outside the lock: it closes sockets.
        let agent = self.agent().take();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Interrupts only the request in flight.
    pub fn interrupt(&self) {
        let agent = self.agent().take();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Makes this the agent that a stop shuts down.
    pub fn watch(&self, new: &Agent) {
        *self.agent() = Some(new.clone());
        // A stop before the line above did not shut down this agent.
        if self.is_stopped() {
            new.clone().shutdown();
        }
    }

    /// Whether there was a stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.signal.is_set()
    }

    /// Waits; ends early, with `false`, when there is a stop.
    pub fn pause(&self, pause: Duration) -> bool {
        self.signal.pause(pause)
    }

    fn agent(&self) -> MutexGuard<'_, Option<Agent>> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StopSignal {
    /// Wakes all threads that wait, and lets none wait again.
    pub fn set(&self) {
        *self.stopped() = true;
        self.changed.notify_all();
    }

    /// Whether there was a stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.stopped()
    }

    /// Waits; ends early, with `false`, when there is a stop.
    pub fn pause(&self, pause: Duration) -> bool {
        let stopped = self.changed.wait_timeout_while(self.stopped(), pause, |stopped| !*stopped);
        !*stopped.unwrap_or_else(PoisonError::into_inner).0
    }

    fn stopped(&self) -> MutexGuard<'_, bool> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_stop_ends_a_pause_and_later_pauses_end_at_once() {
        let stopper = Stopper::new(Arc::default());
        let began = clock::monotonic();
        assert!(stopper.pause(Duration::from_millis(10)));
        std::thread::scope(|scope| {
            let pausing = scope.spawn(|| stopper.pause(Duration::from_secs(60)));
            std::thread::sleep(Duration::from_millis(50));
            stopper.stop();
            assert!(pausing.join().is_ok_and(|whole| !whole));
        });
        assert!(!stopper.pause(Duration::from_secs(60)));
        assert!(clock::monotonic() - began < Duration::from_secs(30));
    }

    #[test]
    fn an_agent_that_comes_after_the_stop_is_shut_down() {
        let stopper = Stopper::new(Arc::default());
        stopper.stop();
        let agent: Agent = ureq::config::Config::builder().proxy(None).build().into();
        stopper.watch(&agent);
        let refused = agent.get("http://127.0.0.1:1/").call();
        assert!(
            matches!(refused, Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotConnected)
        );
    }
}
