//! What the protocol promises.

use super::world::{VERSIONS, World};

/// A promise that was broken.
pub type Broken = String;

impl World {
    /// A request comes to the gateway.
    pub fn arrive(&mut self, place: usize) -> Result<(), Broken> {
        self.delivered[place] += 1;
        if self.delivered[place] > self.allowed[place] {
            return Err(format!(
                "version {place} is repeated, and the Lease said that it is settled or on its way"
            ));
        }
        Ok(())
    }

    /// A successor may repeat what the Lease that it took over did not say.
    pub fn allow_repeats(&mut self, index: usize) {
        let record = self.nodes[index].machine.election().record();
        for (place, version) in self.api.made.iter().enumerate() {
            let is_said = record.is_some_and(|record| {
                let watermark = record.content.watermark.as_ref();
                watermark.is_some_and(|watermark| watermark.covers(VERSIONS[place], *version))
                    || record.content.announced.contains(version)
            });
            // A request that is on its way may arrive late, if its sender does not run.
            let on_their_way = self.nodes.iter().filter(|node| {
                node.request.as_ref().is_some_and(|request| request.place == place && !request.has_arrived)
            });
            if !is_said && (!self.is_once || self.was_lease_lost) {
                let on_their_way = u8::try_from(on_their_way.count()).unwrap_or(0);
                self.allowed[place] = self.allowed[place].max(self.delivered[place] + on_their_way + 1);
            }
        }
    }

    /// What holds at every moment.
    pub fn check(&self) -> Result<(), Broken> {
        let senders = self.nodes.iter().filter(|node| node.may_send()).count();
        if senders > 1 {
            return Err("both replicas may send".to_owned());
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let other = &self.nodes[1 - index];
            let is_on_its_way = node
                .request
                .as_ref()
                .is_some_and(|request| !request.has_arrived && node.clock < request.deadline);
            if node.paused == 0 && is_on_its_way && other.may_send() {
                return Err(format!("a request of replica {index} outlives its lease"));
            }
        }
        Ok(())
    }
}
