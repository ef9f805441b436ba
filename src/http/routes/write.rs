//! One wish, from its body to what the writer answers.

use crate::http::app::App;
use crate::http::error::Problem;
use crate::http::extract::{Write, actor, one_id};
use crate::http::wire::wish::Wish;
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
        let submission = {
            let body = B::read(&self.body)?;
            Submission {
                id: one_id(self.id.clone(), body.id())?,
                command: body.wish(path, &app.settings)?,
                actor: actor(self.principal)?,
            }
        };
        Ok(app.service.writer.submit(submission).await?)
    }
}
