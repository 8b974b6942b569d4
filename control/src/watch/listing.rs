use proto::ProjectId;

use crate::domain::record::{DEPLOYMENT, PROJECT, decode};
use crate::domain::{Deployment, DeploymentGuid};
use crate::service::keys;
use crate::store::{Key, Prefix, Store, StoreError};

/// Goes through the live deployments of one project or of all, a portion at a time.
#[derive(Debug)]
pub(super) struct Listing {
    projects: Projects,
    /// The project that is gone through now, and the last key that was seen in it.
    at: Option<(ProjectId, Option<Key>)>,
}

/// The projects still to come.
#[derive(Debug)]
enum Projects {
    /// At most this one.
    Only(Option<ProjectId>),
    /// Every one whose keys come after this.
    After(Option<Key>),
}

impl Listing {
    pub(super) fn of(only: Option<&ProjectId>) -> Self {
        let projects = match only {
            Some(only) => Projects::Only(Some(only.clone())),
            None => Projects::After(None),
        };
        Self { projects, at: None }
    }

    /// The next live deployments, of up to `portion` records; none when there are no more.
    pub(super) async fn next(
        &mut self,
        store: &dyn Store,
        portion: usize,
    ) -> Result<Option<Vec<(ProjectId, DeploymentGuid)>>, StoreError> {
        let (project, after) = match self.at.take() {
            Some(at) => at,
            None => match self.projects.next(store).await? {
                Some(project) => (project, None),
                None => return Ok(None),
            },
        };
        let page = store.list(&keys::deployments(&project), after.as_ref(), portion).await?;
        let live =
            page.entries.iter().filter_map(|entry| match decode::<Deployment>(DEPLOYMENT, &entry.value) {
                Ok(deployment) => deployment.is_live().then(|| (project.clone(), deployment.guid)),
                Err(error) => {
                    tracing::error!(key = %entry.key, %error, "runtimes are not told of this deployment");
                    None
                }
            });
        let live = live.collect();
        if page.more {
            self.at = Some((project, page.entries.last().map(|entry| entry.key.clone())));
        }
        Ok(Some(live))
    }
}

impl Projects {
    async fn next(&mut self, store: &dyn Store) -> Result<Option<ProjectId>, StoreError> {
        match self {
            Self::Only(only) => Ok(only.take()),
            Self::After(after) => loop {
                let everything = Prefix::of([PROJECT]);
                let page = store.list(&everything, after.as_ref(), 1).await?;
                let Some(entry) = page.entries.into_iter().next() else {
                    return Ok(None);
                };
                let found = entry.key.parts().nth(1).and_then(|part| ProjectId::parse(&part));
                // The rest of a project's keys is jumped over: no part of a key begins with a tilde.
                *after =
                    Some(found.as_ref().map_or(entry.key, |id| everything.with_rest(&format!("{id}/~"))));
                if found.is_some() {
                    return Ok(found);
                }
            },
        }
    }
}
