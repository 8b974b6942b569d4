//! Who is who, and who may do what where.

mod organizations;
mod project_end;
mod projects;
mod roles;
mod sight;
mod standing;
mod token_rules;
mod tokens;
mod users;
mod whoami;

pub use projects::SeenProject;
pub use token_rules::TokenDraft;
pub use tokens::SeenToken;
pub use whoami::WhoIs;

use std::collections::BTreeSet;

use proto::ProjectId;

use super::{Error, Kind, Loaded, Service, keys};
use crate::domain::guid::parse_project;
use crate::domain::name::ProjectName;
use crate::domain::record::{PROJECT, PROJECT_CLOSED, decode};
use crate::domain::{Access, Caller, OrganizationGuid, Project, Role};
use crate::store::{Batch, Expect, Key, Op, Store};

/// Projects looked at together; of one name there is one in each organization.
const NAMESAKES: usize = 1_000;

impl Service {
    /// The project `asked` for by guid or name, else the caller's, and what the caller is there. One in which
    /// they have no role is not told from one that is not there.
    pub async fn resolve_project(&self, caller: &Caller, asked: &str) -> Result<(ProjectId, Role), Error> {
        let project = self.seen_project(caller, asked).await?.record;
        let role = caller.level_in(&project).map_or(caller.role, Role::from);
        Ok((project.guid, role))
    }

    /// The project `asked` for by guid or name, else the caller's, where they may do what takes `access`.
    pub async fn project_for(
        &self,
        caller: &Caller,
        asked: &str,
        access: Access,
    ) -> Result<ProjectId, Error> {
        let project = self.seen_project(caller, asked).await?.record;
        if caller.may(access, &project) {
            return Ok(project.guid);
        }
        let role = caller.level_in(&project).map_or(caller.role, Role::from);
        Err(Error::Forbidden(format!(
            "you are {role} in project {}, where this may not be done: {}",
            project.name,
            access.needed()
        )))
    }

    /// The project with this guid, with the version of its key.
    pub(super) async fn load_project(&self, guid: &ProjectId) -> Result<Option<Loaded<Project>>, Error> {
        self.load(Kind::Project, &keys::project(guid)).await
    }

    /// The organization a project belongs to.
    pub(super) async fn organization_of(&self, project: &ProjectId) -> Result<OrganizationGuid, Error> {
        let found = self.load_project(project).await?;
        let found = found.ok_or_else(|| Error::not_found(Kind::Project, project.as_str()))?;
        Ok(found.record.organization)
    }

    pub(super) async fn seen_project(&self, caller: &Caller, asked: &str) -> Result<Loaded<Project>, Error> {
        let not_found = |name: &str| Error::not_found(Kind::Project, name);
        let guid = if asked.is_empty() { Some(caller.project.clone()) } else { parse_project(asked).ok() };
        if let Some(guid) = guid {
            let found = self.load_project(&guid).await?;
            let seen = found.filter(|found| caller.sees(&found.record));
            return seen.ok_or_else(|| not_found(guid.as_str()));
        }
        let Ok(name) = ProjectName::parse(asked) else {
            return Err(not_found(asked));
        };
        let mut seen = self.namesakes(caller, &name).await?;
        if seen.len() > 1 {
            // Names are unique in an organization: the caller's own goes first.
            let own = self.load_project(&caller.project).await?.map(|own| own.record.organization);
            if let Some(at) = seen.iter().position(|found| Some(&found.record.organization) == own.as_ref()) {
                return Ok(seen.swap_remove(at));
            }
            return Err(Error::Forbidden(format!(
                "several organizations have a project {name}; name yours by its guid"
            )));
        }
        seen.pop().ok_or_else(|| not_found(asked))
    }

    /// The projects called `name` that the caller may see.
    async fn namesakes(&self, caller: &Caller, name: &ProjectName) -> Result<Vec<Loaded<Project>>, Error> {
        let mut seen = Vec::new();
        for entry in self.store.list(&keys::projects_named(name), None, NAMESAKES).await?.entries {
            let guid: String = decode(Kind::Index.as_str(), &entry.value)?;
            let Ok(guid) = parse_project(&guid) else {
                continue;
            };
            let found = self.load_project(&guid).await?;
            seen.extend(found.filter(|found| caller.sees(&found.record)));
        }
        Ok(seen)
    }
}

/// The guids of all projects in `store`.
pub async fn all_projects(store: &dyn Store) -> Result<Vec<ProjectId>, Error> {
    let (mut guids, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&keys::projects(), after.as_ref(), NAMESAKES).await?;
        for entry in page.entries {
            let project: Project = decode(Kind::Project.as_str(), &entry.value)?;
            guids.push(project.guid);
            after = Some(entry.key);
        }
        if !page.more {
            return Ok(guids);
        }
    }
}

/// Makes `batch` rely on the projects it writes into: nothing is written into one that is being deleted,
/// and so nothing is left behind when it is gone.
pub(super) fn in_open_projects(batch: Batch) -> Batch {
    let written = batch.operations().iter().filter(|operation| matches!(operation.op, Op::Put(_)));
    let projects: BTreeSet<String> = written.filter_map(|operation| project_in(&operation.key)).collect();
    projects
        .into_iter()
        .fold(batch, |batch, guid| batch.check(Key::of([PROJECT_CLOSED, &guid]), Expect::Absent))
}

/// The guid of the project a key belongs to.
fn project_in(key: &Key) -> Option<String> {
    let mut parts = key.parts();
    (parts.next()? == PROJECT).then(|| parts.next().map(std::borrow::Cow::into_owned))?
}

/// Whether `key` says that a project is closed.
pub(super) fn is_closed(key: &Key) -> bool {
    key.parts().next().is_some_and(|first| first == PROJECT_CLOSED)
}

/// The project is about to go, or gone.
pub(super) fn project_going() -> Error {
    Error::refused("project", "project_being_deleted", "the project is being deleted; use another one")
}
