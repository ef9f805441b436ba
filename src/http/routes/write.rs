//! One wish, from its body to what the writer answers.

use purser_commands::Command;
use purser_events::Label;

use crate::http::app::App;
use crate::http::error::Problem;
use crate::http::extract::{Write, actor, one_id};
use crate::http::wire::wish::Wish;
use crate::keys::Principal;
use crate::writer::{Reply, Submission};

impl<const ROLES: u8, const SIZE: u8, Q> Write<ROLES, SIZE, Q> {
    /// Submits what the body asks for, under the id that the header or the body carries; `path` is
    /// the parameter of a route that has one.
    pub(super) async fn one<'a, B: Wish<'a>>(
        &'a self,
        app: &App,
        path: Option<&str>,
    ) -> Result<Reply, Problem>
    where
        Q: Sync,
    {
        let (id, command) = {
            let body = B::read(&self.body)?;
            let id = one_id(self.id.clone(), body.id())?;
            (id, body.wish(path, &app.settings)?)
        };
        submit(app, (self.principal, id), command).await
    }
}

/// Sends a command to the writer, in its sender's name.
pub(super) async fn submit(
    app: &App,
    (principal, id): (Principal, Option<Label>),
    command: Command,
) -> Result<Reply, Problem> {
    let actor = actor(principal)?;
    let submission = Submission { command, id, actor };
    Ok(app.service.writer.submit(submission).await?)
}
