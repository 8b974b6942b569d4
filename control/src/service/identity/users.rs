//! Users: create, get, list, give roles, delete.

use super::super::{Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use super::sight::Reach;
use crate::domain::name::Email;
use crate::domain::user::{BUILT_IN_EMAIL, Membership, Roles, RolesDraft, UserDraft};
use crate::domain::{Caller, Faults, User, UserGuid};
use crate::store::{Batch, Expect};

impl Service {
    /// Makes the user `draft` describes known; `faults` are those its transport found.
    ///
    /// Whoever is an admin somewhere may do so for users who have roles there and nowhere else.
    pub async fn create_user(
        &self,
        caller: &Caller,
        draft: &UserDraft,
        mut faults: Faults,
    ) -> Result<User, Error> {
        let reach = self.reach(caller).await?;
        let email = faults.take("email", Email::parse(&draft.email.to_lowercase()));
        let roles = self.judge_roles(caller, &reach, &draft.roles, &mut faults).await?;
        if !reach.is_everywhere() && roles.memberships.is_empty() {
            return Err(Error::Forbidden(
                "to create a user takes an admin of the whole installation, or of where the user is to be a member"
                    .into(),
            ));
        }
        let email = faults.none_or(email).map_err(Error::Invalid)?;
        if !reach.is_everywhere() && email.as_str() == BUILT_IN_EMAIL {
            return Err(Error::Forbidden(format!(
                "the user {email} is the installation's: to create them takes an admin of the whole installation"
            )));
        }
        let prepare = || self.prepare_user(&email, &roles, draft.creator.as_ref());
        Ok(self.commit_as(caller, "the user", prepare).await?.record)
    }

    async fn prepare_user(
        &self,
        email: &Email,
        roles: &Roles,
        creator: Option<&UserGuid>,
    ) -> Result<Prepared<User>, Error> {
        let email_key = keys::user_email(email);
        if self.store.get(&email_key).await?.is_some() {
            let message = format!("there is a user {email} already; give them roles instead");
            return Err(Error::AlreadyExists(Faults::one("email", "user_exists", message)));
        }
        let user =
            User::create(email.clone(), roles.clone(), creator.cloned(), self.now(), self.chance.as_ref())?;
        let batch = Batch::new().put(email_key, Expect::Absent, stored(Kind::Index, &user.guid)?).put(
            keys::user(&user.guid),
            Expect::Absent,
            stored(Kind::User, &user)?,
        );
        let batch = self.note_admin(batch, &user.guid, user.runs_installation()).await?;
        Ok(Prepared::new(user, batch, false))
    }

    /// The user with this email or guid, the caller when it is empty, as far as the caller may see.
    pub async fn get_user(&self, caller: &Caller, email: &str) -> Result<User, Error> {
        let reach = self.reach(caller).await?;
        let found = self.seen_user(caller, &reach, email).await?.record;
        self.shown_user(caller, &reach, found).await
    }

    /// The users who have a role where the caller is an admin, and the caller.
    pub async fn list_users(&self, caller: &Caller, asked: &PageAsked) -> Result<Listed<User>, Error> {
        let reach = self.reach(caller).await?;
        let sees = |user: &User| sees_user(caller, &reach, user);
        let listed = self.list_records(Kind::User, &keys::users(), asked, sees).await?;
        let mut items = Vec::with_capacity(listed.items.len());
        for user in listed.items {
            items.push(self.shown_user(caller, &reach, user).await?);
        }
        Ok(Listed { items, next: listed.next })
    }

    /// Gives the user called `email` the roles of `draft` and no others; `faults` are those its transport
    /// found. What they are where the caller is no admin stays as it is.
    pub async fn set_user_roles(
        &self,
        caller: &Caller,
        email: &str,
        draft: &RolesDraft,
        mut faults: Faults,
    ) -> Result<User, Error> {
        let reach = self.reach(caller).await?;
        if reach.is_nowhere() {
            return Err(Error::Forbidden("to give roles takes an admin of where they are given".into()));
        }
        let roles = self.judge_roles(caller, &reach, draft, &mut faults).await?;
        Error::of(faults, Faults::new(), Faults::new())?;
        let changed =
            self.commit_as(caller, "the user", || self.prepare_roles(caller, &reach, email, &roles)).await?;
        tracing::info!(user = %changed.record.email, by = %caller.name, "gave roles");
        self.shown_user(caller, &reach, changed.record).await
    }

    async fn prepare_roles(
        &self,
        caller: &Caller,
        reach: &Reach,
        email: &str,
        asked: &Roles,
    ) -> Result<Prepared<User>, Error> {
        // By its address an admin may invite somebody of whom they may otherwise not know; a guid, which
        // stands in many a record, is not to tell them an address.
        let mut found = self.find_user(email).await?;
        if UserGuid::parse(email).is_ok() && !sees_user(caller, reach, &found.record) {
            return Err(Error::not_found(Kind::User, email));
        }
        let user = &mut found.record;
        let ran_installation = user.runs_installation();
        let mut roles = asked.clone();
        if !reach.is_everywhere() {
            roles.installation = user.roles.installation;
            let others = user.roles.memberships.iter().filter(|there| !reach.covers(&there.place));
            roles.memberships.extend(others.cloned());
        }
        user.roles = roles;
        user.updated_at = self.now();
        let key = keys::user(&user.guid);
        let mut batch = Batch::new().put(key, Expect::At(found.version), stored(Kind::User, user)?);
        if user.runs_installation() != ran_installation {
            batch = self.note_admin(batch, &user.guid, user.runs_installation()).await?;
        }
        Ok(Prepared::new(found.record, batch, false))
    }

    /// Deletes a user, and their tokens.
    pub async fn delete_user(&self, caller: &Caller, email: &str) -> Result<(), Error> {
        if email.is_empty() {
            return Err(Error::Invalid(Faults::one("email", "email", "say which user is to be deleted")));
        }
        let reach = self.reach(caller).await?;
        let user = self.seen_user(caller, &reach, email).await?.record;
        if !reach.covers_all(&user.roles) {
            return Err(Error::Forbidden(format!(
                "to delete user {} takes an admin of the whole installation, or of every place they have a role in",
                user.email
            )));
        }
        self.commit_as(caller, "the user", || self.prepare_user_end(&reach, &user.guid)).await?;
        tracing::info!(user = %user.email, by = %caller.name, "deleted a user");
        // Without their user the tokens open nothing already.
        self.remove_tokens_of(&user.guid).await
    }

    async fn prepare_user_end(&self, reach: &Reach, guid: &UserGuid) -> Result<Prepared<()>, Error> {
        let found = self.find_user(guid.as_str()).await?;
        if !reach.covers_all(&found.record.roles) {
            return Err(Error::Forbidden("this user has got roles elsewhere meanwhile".into()));
        }
        let batch = Batch::new()
            .delete(keys::user(guid), Expect::At(found.version))
            .delete(keys::user_email(&found.record.email), Expect::Any);
        let batch = match found.record.runs_installation() {
            true => self.note_admin(batch, guid, false).await?,
            false => batch,
        };
        Ok(Prepared::new((), batch, false))
    }

    /// Adds to `batch` that a user runs the installation from now on, or does not any more. The last one
    /// stays.
    async fn note_admin(&self, batch: Batch, guid: &UserGuid, runs: bool) -> Result<Batch, Error> {
        let key = keys::installation();
        let found = self.load::<crate::domain::user::Installation>(Kind::Index, &key).await?;
        let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::At(found.version));
        let mut installation = found.map(|found| found.record).unwrap_or_default();
        let changed = match runs {
            true => installation.admins.insert(guid.clone()),
            false => installation.admins.remove(guid),
        };
        if !changed {
            return Ok(batch);
        }
        if installation.admins.is_empty() {
            let message = "this is the last admin of the installation; make somebody else one first";
            return Err(Error::refused("email", "last_admin", message));
        }
        Ok(batch.put(key, expect, stored(Kind::Index, &installation)?))
    }

    pub(super) async fn seen_user(
        &self,
        caller: &Caller,
        reach: &Reach,
        email: &str,
    ) -> Result<Loaded<User>, Error> {
        let asked = match (email, &caller.user) {
            ("", Some(own)) => own.as_str(),
            ("", None) => {
                return Err(Error::Forbidden("this token belongs to no user; say which is meant".into()));
            }
            (email, _) => email,
        };
        let found = self.find_user(asked).await?;
        if sees_user(caller, reach, &found.record) {
            return Ok(found);
        }
        Err(Error::not_found(Kind::User, email))
    }

    pub(super) async fn find_user(&self, email: &str) -> Result<Loaded<User>, Error> {
        let not_found = || Error::not_found(Kind::User, email);
        let guid = match UserGuid::parse(email) {
            Ok(guid) => guid,
            Err(_) => {
                let email = Email::parse(&email.to_lowercase()).map_err(|_| not_found())?;
                let index = self.load::<UserGuid>(Kind::Index, &keys::user_email(&email)).await?;
                index.ok_or_else(not_found)?.record
            }
        };
        self.load(Kind::User, &keys::user(&guid)).await?.ok_or_else(not_found)
    }

    /// What of a user the caller is shown: themselves as far as their token opens anything, of others what
    /// they are where the caller is an admin; places that are gone are left out.
    pub(super) async fn shown_user(
        &self,
        caller: &Caller,
        reach: &Reach,
        mut user: User,
    ) -> Result<User, Error> {
        let own = caller.user.as_ref() == Some(&user.guid);
        let whole = reach.is_everywhere() || (own && caller.within().is_none());
        if !whole {
            user.roles.installation = None;
        }
        let mut shown: Vec<Membership> = Vec::with_capacity(user.roles.memberships.len());
        for membership in user.roles.memberships {
            let place = &membership.place;
            let seen =
                whole || reach.covers(place) || (own && self.is_within(caller.within(), place).await?);
            if seen && self.is_there(&membership.place).await? {
                shown.push(membership);
            }
        }
        user.roles.memberships = shown;
        Ok(user)
    }
}

/// Whether `caller` may know of `user`.
pub(super) fn sees_user(caller: &Caller, reach: &Reach, user: &User) -> bool {
    let own = caller.role.level().is_some() && caller.user.as_ref() == Some(&user.guid);
    own || reach.covers_any(&user.roles)
}
