//! Faults of single requests, reads or writes, of one server: those that a client cannot tell apart, and those that
//! come late. Other servers over the same store are not affected, so that one client can be cut off and another not.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::KubeApi;
use super::asked::{Asked, Verb};
use super::replica::Replica;
use super::resource::Resource;
use super::status::Refusal;

/// Which requests; watches have faults of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// Of single objects, and lists.
    Reads,
    Writes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// 409: somebody else has written meanwhile. Nothing is applied.
    Conflict,
    /// 500, and nothing is applied.
    InternalError,
    /// 500, although it is applied: etcd took longer than the API server waits for it.
    ErrorAfterApplying,
    /// The connection closes before anything is applied.
    RequestLost,
    /// It is applied, and then the connection closes before the response.
    ResponseLost,
    /// It is applied so much later, even if the client has gone meanwhile.
    RequestDelayed(Duration),
    /// It is applied at once, and answered so much later.
    ResponseDelayed(Duration),
}

impl RequestFault {
    /// What happens on the way to the store; an error closes the connection.
    pub(super) fn before(self, replica: &Replica) -> io::Result<()> {
        match self {
            RequestFault::RequestLost => Err(io::ErrorKind::ConnectionAborted.into()),
            RequestFault::RequestDelayed(delay) => sleep(replica, delay),
            _ => Ok(()),
        }
    }

    /// What happens on the way back.
    pub(super) fn after(self, replica: &Replica) -> io::Result<()> {
        match self {
            RequestFault::ResponseLost => Err(io::ErrorKind::ConnectionAborted.into()),
            RequestFault::ResponseDelayed(delay) => sleep(replica, delay),
            _ => Ok(()),
        }
    }

    /// The answer instead of that of the store, which does not see the request.
    pub(super) fn refusal(self, asked: &Asked) -> Option<Refusal> {
        let name = asked.scope.name.as_deref().unwrap_or_default();
        match self {
            RequestFault::Conflict => Some(Refusal::modified(asked.resource, name)),
            RequestFault::InternalError => {
                Some(Refusal::internal_error("the test API server was asked to fail"))
            }
            _ => None,
        }
    }
}

/// An error when the server stops meanwhile: then its process has died.
fn sleep(replica: &Replica, delay: Duration) -> io::Result<()> {
    if replica.pause(delay) { Ok(()) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
}

/// What happens to the requests for one resource.
#[derive(Default)]
pub(super) struct RequestFaults {
    reads: Line,
    writes: Line,
}

#[derive(Default)]
struct Line {
    next: VecDeque<RequestFault>,
    /// To all that come after those.
    rest: Option<RequestFault>,
}

impl RequestFaults {
    pub(super) fn next(&mut self, verb: Verb) -> Option<RequestFault> {
        let line = self.line(if verb.is_write() { Requests::Writes } else { Requests::Reads });
        line.next.pop_front().or(line.rest)
    }

    fn line(&mut self, requests: Requests) -> &mut Line {
        match requests {
            Requests::Reads => &mut self.reads,
            Requests::Writes => &mut self.writes,
        }
    }
}

impl KubeApi {
    /// So many of the next requests to this server fail in this way.
    pub fn fail_next(&self, resource: &str, requests: Requests, count: usize, fault: RequestFault) {
        self.each_line(resource, requests, |line| line.next.extend(std::iter::repeat_n(fault, count)));
    }

    /// All requests to this server fail in this way, until `heal`.
    pub fn fail_all(&self, resource: &str, requests: Requests, fault: RequestFault) {
        self.each_line(resource, requests, |line| line.rest = Some(fault));
    }

    fn each_line(&self, resource: &str, requests: Requests, change: impl Fn(&mut Line)) {
        let mut state = self.replica.lock();
        let faults = &mut self.replica.of(&mut state).faults;
        Resource::matching(resource).into_iter().for_each(|one| change(faults[one.0].line(requests)));
    }
}
