//! What can happen in the world, one step at a time, and what must never be.

use super::super::protocol::election::{Step, Written as Response};
use super::super::protocol::replica::Gate;
use super::promises::Broken;
use super::step::Action::{self, *};
use super::world::{Node, Request, TICK, VERSIONS, World};

impl World {
    /// All steps that can be taken now.
    pub fn actions(&self, last_tick: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.api.made.len() < self.versions {
            actions.push(Make);
        }
        if self.now < last_tick * TICK {
            actions.push(Tick);
        }
        for (index, node) in self.nodes.iter().enumerate() {
            self.of_node(index, node, &mut actions);
        }
        // Who has not seen that there was a Lease cannot see that it is gone.
        let have_seen = self.nodes.iter().all(|node| node.machine.election().record().is_some());
        if self.faults > 0 && self.api.lease.is_some() && have_seen {
            actions.push(LoseLease);
        }
        actions
    }

    fn of_node(&self, index: usize, node: &Node, actions: &mut Vec<Action>) {
        if node.request.as_ref().is_some_and(|request| !request.has_arrived) {
            actions.push(Arrive(index));
        }
        if node.paused > 0 {
            return;
        }
        let made = self.api.made.len();
        if !node.is_cut_off {
            if node.verified.is_none_or(|verified| verified < made) {
                actions.push(Verify(index));
            }
            if node.read < made {
                actions.push(Read(index));
                if self.is_overtaken(node.read) {
                    actions.push(Skip(index));
                }
            }
            if node.machine.election().record() != self.api.lease.as_ref() {
                actions.push(Observe(index));
            }
            if self.is_cache_behind
                && self.api.earlier.is_some()
                && node.machine.election().record() != self.api.earlier.as_ref()
            {
                actions.push(ObserveEarlier(index));
            }
        } else {
            actions.push(Heal(index));
        }
        let step = node.machine.next(node.clock);
        let writes = matches!(step, Step::Create(_) | Step::Update { .. });
        if writes || matches!(step, Step::Read) {
            actions.push(Lease(index));
        }
        if node.written.is_some() {
            actions.push(Written(index));
        }
        if node.machine.seen().wants_confirmation() && node.machine.is_leading() && !node.is_cut_off {
            actions.push(Verify(index));
        }
        let announces = node
            .announces
            .filter(|place| node.held.contains(place) && self.gate(index, *place) == Gate::Deliver);
        for place in &node.held {
            let waits = announces.is_some_and(|announced| announced != *place);
            match self.gate(index, *place) {
                Gate::Deliver if waits => {}
                Gate::Deliver if node.request.is_none() && node.checked.is_none() && node.may_send() => {
                    actions.push(Check(index, *place));
                }
                Gate::Settled => actions.push(Release(index, *place)),
                Gate::InDoubt => actions.push(DeadLetter(index, *place)),
                _ => {}
            }
        }
        if node.checked.is_some() {
            actions.push(Send(index));
        }
        if node.is_stopping && node.request.is_none() && matches!(step, Step::Stopped) {
            actions.push(Restart(index));
        }
        match &node.request {
            Some(request) if request.has_arrived => actions.push(Respond(index)),
            _ => {}
        }
        if node.request.as_ref().is_some_and(|request| node.clock >= request.deadline) {
            actions.push(GiveUp(index));
        }
        if self.faults > 0 {
            if !node.is_stopping && node.request.is_none() && node.checked.is_none() {
                actions.push(Stop(index));
            }
            actions.extend([Kill(index), Pause(index)]);
            if !node.is_cut_off {
                actions.push(CutOff(index));
                if writes {
                    actions.push(LoseWrite(index));
                }
            }
        }
    }

    fn gate(&self, index: usize, place: usize) -> Gate {
        let node = &self.nodes[index];
        node.machine.gate(VERSIONS[place], self.api.made[place], node.clock)
    }

    /// Takes a step.
    pub fn take(&mut self, action: Action) -> Result<(), Broken> {
        if action.is_fault() {
            self.faults -= 1;
        }
        match action {
            Make => self.api.make(),
            Tick => {
                self.now += TICK;
                for node in &mut self.nodes {
                    node.clock += node.rate;
                    node.paused = node.paused.saturating_sub(1);
                }
            }
            Verify(index) => self.verify(index),
            Read(index) => {
                self.nodes[index].held.insert(self.nodes[index].read);
                self.nodes[index].read += 1;
            }
            Skip(index) => self.nodes[index].read += 1,
            Lease(index) => self.lease(index, false)?,
            LoseWrite(index) => self.lease(index, true)?,
            Observe(index) => {
                let node = &mut self.nodes[index];
                node.machine.observe(self.api.lease.clone(), true, node.clock);
            }
            Written(index) => {
                let node = &mut self.nodes[index];
                if let Some(written) = node.written.take()
                    && node.machine.written(written, node.clock)
                {
                    self.allow_repeats(index);
                }
            }
            ObserveEarlier(index) => {
                let node = &mut self.nodes[index];
                node.machine.observe(self.api.earlier.clone(), false, node.clock);
            }
            DeadLetter(index, place) => {
                self.ambiguous[place] = true;
                let node = &mut self.nodes[index];
                node.machine.settle(VERSIONS[place], self.api.made[place]);
                node.held.remove(&place);
            }
            Check(index, place) => {
                let node = &mut self.nodes[index];
                let version = [self.api.made[place]];
                if self.is_once && !node.machine.is_announced(&version, node.clock) {
                    node.machine.announce(version.to_vec());
                    node.announces = Some(place);
                    return Ok(());
                }
                let left = node.machine.election().may_send(node.clock).unwrap_or(0);
                node.checked = Some((place, node.clock + left));
            }
            Send(index) => {
                let node = &mut self.nodes[index];
                if let Some((place, deadline)) = node.checked.take()
                    && node.clock < deadline
                {
                    node.request = Some(Request { place, deadline, has_arrived: false });
                }
            }
            Arrive(index) => {
                if let Some(request) = &mut self.nodes[index].request {
                    request.has_arrived = true;
                    let place = request.place;
                    self.arrive(place)?;
                }
            }
            Respond(index) => {
                let node = &mut self.nodes[index];
                if let Some(request) = node.request.take() {
                    node.machine.settle(VERSIONS[request.place], self.api.made[request.place]);
                    node.held.remove(&request.place);
                }
            }
            GiveUp(index) => self.give_up(index),
            Release(index, place) => {
                if !self.is_delivered(place) {
                    return Err(format!(
                        "replica {index} gives OK for version {place}, which nobody delivered"
                    ));
                }
                self.nodes[index].held.remove(&place);
            }
            Kill(index) | Restart(index) => {
                let killed = self.nodes[index].start_again();
                // What it had sent is on its way; nobody waits for the response.
                if let Some(request) = killed.request.filter(|request| !request.has_arrived) {
                    self.arrive(request.place)?;
                }
            }
            Stop(index) => {
                self.nodes[index].is_stopping = true;
                self.nodes[index].machine.stop();
            }
            Pause(index) => self.nodes[index].paused = 6,
            CutOff(index) => self.nodes[index].is_cut_off = true,
            Heal(index) => self.nodes[index].is_cut_off = false,
            LoseLease => {
                self.api.lease = None;
                self.was_lease_lost = true;
            }
        }
        self.check()
    }

    /// Whether the request arrived is not known. With `no_duplicates` its version is dead-lettered.
    fn give_up(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(request) = node.request.take() else { return };
        if self.is_once {
            self.ambiguous[request.place] = true;
            node.machine.settle(VERSIONS[request.place], self.api.made[request.place]);
            node.held.remove(&request.place);
        } else {
            self.allowed[request.place] += 1;
        }
    }

    fn verify(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let (made, clock) = (&self.api.made, node.clock);
        match node.verified {
            Some(verified) if verified < made.len() => {
                node.machine.see(VERSIONS[verified], made[verified], clock);
                node.machine.advance(made[verified]);
                node.verified = Some(verified + 1);
            }
            Some(_) => {
                node.machine.confirm(self.api.version);
            }
            None => {
                node.machine.begin_list(self.api.version);
                for (place, version) in made.iter().enumerate() {
                    let is_newest = !VERSIONS[place + 1..made.len()].contains(&VERSIONS[place]);
                    if is_newest {
                        node.machine.see(VERSIONS[place], *version, clock);
                    }
                }
                node.machine.end_list(self.api.version);
                node.verified = Some(made.len());
            }
        }
    }

    fn lease(&mut self, index: usize, loses_response: bool) -> Result<(), Broken> {
        let node = &mut self.nodes[index];
        let step = node.machine.next(node.clock);
        let (replaces, content) = match step {
            Step::Read => {
                match node.is_cut_off {
                    true => node.machine.read_again(node.clock),
                    false => node.machine.observe(self.api.lease.clone(), true, node.clock),
                }
                return Ok(());
            }
            Step::Create(content) => (None, content),
            Step::Update { version, content } => (Some(version), content),
            Step::Wait(_) | Step::Stopped => return Ok(()),
        };
        node.machine.sent(node.clock);
        let is_newest = self.api.lease.as_ref().map(|lease| lease.version) == replaces;
        if is_newest && !node.is_cut_off && self.has_room && !self.was_lease_lost {
            self.api.is_said_still(&content)?;
        }
        let stored = if node.is_cut_off { None } else { self.api.write(replaces, content) };
        node.written = Some(match stored {
            _ if loses_response || node.is_cut_off => Response::Unknown,
            Some(record) => Response::Stored(record),
            None => Response::Conflict,
        });
        Ok(())
    }
}
