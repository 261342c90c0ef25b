//! A balancer before several servers, as before the API servers of one cluster: each new connection goes to another.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::KubeApi;
use crate::server::Server;

/// Which server is the next one.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    InTurn,
    /// As kube-proxy chooses; the same for a seed.
    Random(u64),
}

/// Listens on a port of its own of 127.0.0.1. A connection to a server that is away is closed, as a balancer does
/// that has not noticed yet.
pub struct Balancer(Server);

impl Balancer {
    pub fn start(servers: &[&KubeApi], choice: Choice) -> Self {
        let targets: Vec<SocketAddr> =
            servers.iter().map(|api| ([127, 0, 0, 1], api.port()).into()).collect();
        let next = Mutex::new(match choice {
            Choice::InTurn => 0,
            Choice::Random(seed) => seed,
        });
        let server = Server::new("balancer");
        server.run(move |stream, _number| {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let number = match choice {
                Choice::InTurn => {
                    *next += 1;
                    *next - 1
                }
                Choice::Random(_) => dice(&mut next),
            };
            drop(next);
            let target = targets[usize::try_from(number % targets.len() as u64).expect("below a usize")];
            // A server or a client that goes away ends the connection, and nothing else.
            let _ = carry(&stream, target);
        });
        Balancer(server)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.address())
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.0.accepted()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Both ways, until one of the two has ended.
fn carry(client: &TcpStream, target: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    [client, &server].iter().try_for_each(|stream| stream.set_nodelay(true))?;
    let close = || {
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &server, &mut &*client);
            close();
        });
        let _ = io::copy(&mut &*client, &mut &server);
        close();
    });
    Ok(())
}

/// Dice that fall the same for a seed on every machine: splitmix64.
fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
