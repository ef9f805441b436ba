//! Which records of history a decision on a file looks at.

use purser_events::policy::NodeType;
use purser_events::{Address, Label, PartitionNo};
use purser_projections::names::Names;
use purser_projections::recall::RecallKey;

use super::{Element, Says, TakeFile};

impl TakeFile {
    /// Names every record of history that a decision on this file looks at.
    ///
    /// What has no number in `names` yet has no records either, except in what the fold made since.
    pub fn recall(&self, names: &Names, mut each: impl FnMut(RecallKey)) {
        each(RecallKey::of_foreign_key(&self.key));
        let Some(name) = &self.name else {
            each(RecallKey::of_foreign_file(&self.key, &self.content));
            return;
        };
        let partition = names.partition(name.node_type, name.region.as_str());
        match partition {
            Some(partition) => {
                each(RecallKey::of_file(partition, name.stamps, &self.content));
                each(RecallKey::of_place(partition, name.stamps));
            }
            None => each(RecallKey::of_foreign_file(&self.key, &self.content)),
        }
        for element in self.elements.iter().flatten() {
            if let Element::Event { id, says, .. } = element {
                each(RecallKey::of_event(id));
                if let Some(partition) = partition {
                    let is_ai = name.node_type == NodeType::Ai;
                    each_timeline(names, (partition, is_ai), says, &mut each);
                }
            }
        }
    }
}

fn each_timeline(
    names: &Names,
    (partition, is_ai): (PartitionNo, bool),
    says: &Says,
    each: &mut impl FnMut(RecallKey),
) {
    match says {
        Says::Received { request, .. } if is_ai => {
            each_of(request.as_ref(), |request| {
                each(RecallKey::of_request(partition, request));
            });
        }
        Says::Processed(job) if is_ai => each_of(job.request.as_ref(), |request| {
            each(RecallKey::of_request(partition, request));
        }),
        Says::Connected { worker, connection } | Says::Disconnected { worker, connection } => {
            each_connection(names, *worker, connection.as_ref(), |worker, connection| {
                each(RecallKey::of_connection(partition, worker, connection));
            });
        }
        _ => {}
    }
}

fn each_of<T>(one: Option<T>, each: impl FnOnce(T)) {
    if let Some(one) = one {
        each(one);
    }
}

fn each_connection(
    names: &Names,
    worker: Option<Address>,
    connection: Option<&Label>,
    each: impl FnOnce(purser_events::WorkerNo, &Label),
) {
    let worker = worker.and_then(|address| names.payee(&address));
    if let (Some(worker), Some(connection)) = (worker, connection) {
        each(worker, connection);
    }
}
