//! What is compared: all that a correlation says but labels.

use event_gateway::correlate::Impact;

/// Kind, namespace, name and uid of the topmost owner.
pub type Workload = (String, String, String, String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub services: Vec<Hit>,
    pub total: usize,
    pub workload: Option<Workload>,
    pub node: Option<(String, String)>,
    pub deleted: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub via: String,
    pub ready: u32,
    pub total: u32,
    pub here: Option<u32>,
    pub deleted: bool,
}

impl From<&Impact<'_>> for Answer {
    fn from(impact: &Impact<'_>) -> Self {
        let via = |via| serde_json::to_value(via).unwrap().as_str().unwrap().to_owned();
        let hits = impact.services.iter().map(|one| Hit {
            namespace: one.namespace.into(),
            name: one.name.into(),
            uid: one.uid.to_string(),
            via: via(one.via),
            ready: one.endpoints_ready,
            total: one.endpoints_total,
            here: one.endpoints_here,
            deleted: one.deleted,
        });
        let workload = impact.workload.map(|one| {
            (one.kind.to_owned(), one.namespace.to_owned(), one.name.to_owned(), one.uid.to_string())
        });
        Self {
            services: hits.collect(),
            total: impact.services_total,
            workload,
            node: impact.node.map(|node| (node.name.to_owned(), node.zone.to_owned())),
            deleted: impact.deleted,
        }
    }
}
