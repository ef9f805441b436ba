//! The region that a connected worker claims, and what a probe of it comes to.

use purser_commands::Command;
use purser_commands::matching::ProbeRegion;
use purser_events::matching::RegionFinding;
use purser_events::{Actor, Label};
use purser_projections::names::WorkerName;

use super::probe::Finding;
use crate::config::Bearing;
use crate::http::app::App;
use crate::http::session::{Session, goes_on};
use crate::writer::Submission;

/// A claim that is open, and that something can be found about from here.
#[derive(Debug)]
pub(super) struct Claim {
    worker: Label,
    region: Label,
    own: Label,
    bearing: Bearing,
}

impl Claim {
    /// What the worker of a session claims, as far as the read side knows. A session that ended
    /// claims nothing: the worker may be somewhere else by now.
    pub(super) fn open(app: &App, session: Session) -> Option<Self> {
        let vantage = app.settings.vantage.as_ref()?;
        goes_on(app, session).ok()?;
        let folds = app.service.view.read();
        let standing = folds.matching.standing(session.worker);
        if standing.region != RegionFinding::Open {
            return None;
        }
        let region = standing.claimed.clone()?;
        let bearing = vantage.bearing(&region)?;
        let WorkerName::Miner(worker) = folds.names.workers().get(session.worker.index())? else {
            return None;
        };
        Some(Self {
            worker: worker.clone(),
            own: vantage.region.clone(),
            region,
            bearing,
        })
    }

    /// Records a finding about it, and waits until that is durable. A refusal is nobody's fault:
    /// the claim may be another by now, or the writer busy. There is a next time.
    pub(super) async fn judge(self, app: &App, finding: Finding) {
        let command = Command::ProbeRegion(ProbeRegion {
            worker: self.worker,
            probe: self.own,
            rtt_us: finding.rtt_us,
            samples: finding.samples,
            distance_km: self.bearing.distance_km(),
            claimed: Some(self.region),
        });
        let (id, actor) = (None, Actor::Purser);
        let submission = Submission { command, id, actor };
        if let Err(refused) = app.service.writer.submit(submission).await {
            tracing::debug!(?refused, "what a probe found is not recorded");
        }
    }
}
