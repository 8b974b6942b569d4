//! What every installation has from the start: an organization and a project `default`, and the user
//! `admin`.

use serde::Serialize;

use super::{Error, Kind, keys};
use crate::domain::name::Email;
use crate::domain::record::{decode, encode};
use crate::domain::user::{BUILT_IN_EMAIL, Installation, Roles};
use crate::domain::{Chance, Level, Organization, Project, Timestamp, User, UserGuid};
use crate::store::{Batch, CommitError, Expect, Store};

/// Makes them in a store that has none, new or of a time before there were any. All of it stands in one
/// commit, which is made once: who deletes the user `admin` later is not surprised by another.
pub async fn make(store: &dyn Store, chance: &dyn Chance, now: Timestamp) -> Result<(), Error> {
    if store.get(&keys::installation()).await?.is_some() {
        return Ok(());
    }
    let organization = Organization::built_in(now, chance)?;
    let project = Project::built_in(now).map_err(Error::Invalid)?;
    let admin = new_admin(chance, now)?;
    let installation = Installation { admins: [admin.guid.clone()].into() };
    let batch = Batch::new()
        .put(keys::installation(), Expect::Absent, json(Kind::Index, &installation)?)
        .put(keys::organization(&organization.guid), Expect::Any, json(Kind::Organization, &organization)?)
        .put(keys::organization_name(&organization.name), Expect::Any, json(Kind::Index, &organization.guid)?)
        .put(
            keys::organization_short(&organization.short_id),
            Expect::Any,
            json(Kind::Index, &organization.guid)?,
        )
        .put(keys::project(&project.guid), Expect::Any, json(Kind::Project, &project)?)
        .put(
            keys::project_name(&project.name, &project.organization),
            Expect::Any,
            json(Kind::Index, project.guid.as_str())?,
        )
        .put(keys::user(&admin.guid), Expect::Any, json(Kind::User, &admin)?)
        .put(keys::user_email(&admin.email), Expect::Any, json(Kind::Index, &admin.guid)?);
    match store.commit(batch).await {
        // Another control plane on the same store was quicker.
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The user `admin`, as long as they run the installation.
pub async fn admin(store: &dyn Store) -> Result<Option<UserGuid>, Error> {
    let Some(user) = find_admin(store).await? else {
        return Ok(None);
    };
    Ok(user.runs_installation().then_some(user.guid))
}

/// Makes the user `admin` anew, or one who runs the installation again.
pub async fn make_admin(store: &dyn Store, chance: &dyn Chance, now: Timestamp) -> Result<UserGuid, Error> {
    let user = match find_admin(store).await? {
        Some(user) => {
            let roles = Roles { installation: Some(Level::Admin), ..user.roles };
            User { roles, updated_at: now, ..user }
        }
        None => new_admin(chance, now)?,
    };
    let found = store.get(&keys::installation()).await?;
    let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::At(found.version));
    let mut installation: Installation = match &found {
        Some(found) => decode(Kind::Index.as_str(), &found.value)?,
        None => Installation::default(),
    };
    installation.admins.insert(user.guid.clone());
    let batch = Batch::new()
        .put(keys::installation(), expect, json(Kind::Index, &installation)?)
        .put(keys::user(&user.guid), Expect::Any, json(Kind::User, &user)?)
        .put(keys::user_email(&user.email), Expect::Any, json(Kind::Index, &user.guid)?);
    store.commit(batch).await?;
    Ok(user.guid)
}

async fn find_admin(store: &dyn Store) -> Result<Option<User>, Error> {
    let Some(found) = store.get(&keys::user_email(&email()?)).await? else {
        return Ok(None);
    };
    let guid: UserGuid = decode(Kind::Index.as_str(), &found.value)?;
    let user = store.get(&keys::user(&guid)).await?;
    Ok(user.map(|user| decode(Kind::User.as_str(), &user.value)).transpose()?)
}

fn new_admin(chance: &dyn Chance, now: Timestamp) -> Result<User, Error> {
    let roles = Roles { installation: Some(Level::Admin), memberships: Vec::new() };
    Ok(User::create(email()?, roles, None, now, chance)?)
}

fn email() -> Result<Email, Error> {
    Email::parse(BUILT_IN_EMAIL).map_err(|broken| Error::invalid("email", broken))
}

fn json<T: Serialize + ?Sized>(kind: Kind, record: &T) -> Result<Vec<u8>, Error> {
    Ok(encode(kind.as_str(), record)?)
}
