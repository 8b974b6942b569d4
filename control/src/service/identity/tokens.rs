//! Tokens: create, list, delete.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::ProjectId;

use super::super::{Error, Kind, Listed, PageAsked, Prepared, Service, keys, stored};
use super::sight::Reach;
use super::token_rules::TokenDraft;
use crate::domain::name::{Email, TokenName};
use crate::domain::record::decode;
use crate::domain::token::{TokenRecord, id_of};
use crate::domain::user::Where;
use crate::domain::{Caller, Faults, Level, Role, Timestamp, Token, User, UserGuid};
use crate::store::{Batch, Entry, Expect};

/// Records read at once.
const PORTION: usize = 256;
/// Tokens removed in one commit, with their names.
const AT_ONCE: usize = 40;

/// A token as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenToken {
    /// Names it, opens nothing.
    pub id: String,
    /// For people.
    pub name: String,
    /// How its user is called; none for those of machines.
    pub user: Option<Email>,
    /// What it lets its holder do at most; none when its user may do nothing.
    pub role: Option<Role>,
    /// Where its holder acts unless they say otherwise.
    pub project: ProjectId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Service {
    /// Makes a token; `faults` are those its transport found. The secret is told here and never again.
    pub async fn create_token(
        &self,
        caller: &Caller,
        draft: &TokenDraft,
        mut faults: Faults,
    ) -> Result<(SeenToken, Token), Error> {
        let reach = self.reach(caller).await?;
        let name = faults.take("name", TokenName::parse(&draft.name));
        let expires_at = judge_end(caller, draft.lifetime, self.now(), &mut faults);
        let owner = self.judge_owner(caller, &reach, draft, &mut faults).await?;
        let project = self.judge_home(caller, draft, owner.as_ref(), &mut faults).await?;
        let wanted = name.zip(owner).zip(project);
        let ((name, owner), project) = faults.none_or(wanted).map_err(Error::Invalid)?;
        let record = TokenRecord {
            role: owner.role,
            project,
            name: name.to_string(),
            created: self.now(),
            user: owner.user.as_ref().map(|user| user.guid.clone()),
            expires_at,
            within: owner.within,
        };
        let token = Token::draw(self.chance.as_ref())?;
        self.commit_as(caller, "the token", || self.prepare_token(&token, &record)).await?;
        tracing::info!(token = id_of(&token.hash()), name = %record.name, by = %caller.name, "made a token");
        Ok((seen(&token.hash(), record, owner.user.as_ref()), token))
    }

    async fn prepare_token(&self, token: &Token, record: &TokenRecord) -> Result<Prepared<()>, Error> {
        let hash = token.hash();
        let name_key = keys::token_name(record);
        let mut batch = Batch::new().put(keys::token(&hash), Expect::Absent, stored(Kind::Token, record)?);
        let taken = self.load::<String>(Kind::Index, &name_key).await?;
        let expect = taken.as_ref().map_or(Expect::Absent, |taken| Expect::At(taken.version));
        if let Some(taken) = taken {
            let key = keys::token(&taken.record);
            let old = self.load::<TokenRecord>(Kind::Token, &key).await?;
            if old.is_some_and(|old| !old.record.has_ended(self.now())) {
                let message =
                    format!("there is a token {} already; delete it, or choose another name", record.name);
                return Err(Error::AlreadyExists(Faults::one("name", "token_exists", message)));
            }
            // The name of one that has ended is free.
            batch = batch.delete(key, Expect::Any);
        }
        batch = batch.put(name_key, expect, stored(Kind::Index, &hash)?);
        if let Some(user) = &record.user {
            let key = keys::user(user);
            let found = self.load::<User>(Kind::User, &key).await?;
            let found = found.ok_or_else(|| Error::not_found(Kind::User, user.as_str()))?;
            batch = batch.check(key, Expect::At(found.version));
        }
        Ok(Prepared::new((), batch, false))
    }

    /// The caller's own tokens, those of users who have no role but where the caller is an admin, and those
    /// of machines that act there; of one `user` (email or guid) or, when that is empty, all of them.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        asked: &PageAsked,
        user: &str,
    ) -> Result<Listed<SeenToken>, Error> {
        let reach = self.reach(caller).await?;
        let only = match user {
            "" => None,
            email => Some(self.seen_user(caller, &reach, email).await?.record.guid),
        };
        let prefix = keys::tokens();
        let mut after = match asked.token.as_str() {
            "" => None,
            token => Some(prefix.with_rest(token)),
        };
        let size = self.page_size(asked.size);
        let (mut items, mut users) = (Vec::new(), BTreeMap::new());
        loop {
            let page = self.store.list(&prefix, after.as_ref(), PORTION).await?;
            for entry in page.entries {
                if items.len() == size {
                    let next = after.map(|key| key.parts().last().unwrap_or_default().into_owned());
                    return Ok(Listed { items, next });
                }
                items.extend(self.shown_token(caller, &reach, only.as_ref(), &mut users, &entry).await?);
                after = Some(entry.key);
            }
            if !page.more {
                return Ok(Listed { items, next: None });
            }
        }
    }

    async fn shown_token(
        &self,
        caller: &Caller,
        reach: &Reach,
        only: Option<&UserGuid>,
        users: &mut BTreeMap<UserGuid, Option<User>>,
        entry: &Entry,
    ) -> Result<Option<SeenToken>, Error> {
        let record: TokenRecord = decode(Kind::Token.as_str(), &entry.value)?;
        if only.is_some() && only != record.user.as_ref() {
            return Ok(None);
        }
        if let Some(guid) = &record.user
            && !users.contains_key(guid)
        {
            let found = self.load::<User>(Kind::User, &keys::user(guid)).await?;
            users.insert(guid.clone(), found.map(|found| found.record));
        }
        let user = record.user.as_ref().and_then(|guid| users.get(guid)).and_then(Option::as_ref);
        let hash = entry.key.parts().last().unwrap_or_default();
        Ok(may_see(caller, reach, &record, user).then(|| seen(&hash, record, user)))
    }

    /// Has a token refused from now on.
    pub async fn delete_token(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let reach = self.reach(caller).await?;
        self.commit_as(caller, "the token", || self.prepare_token_end(caller, &reach, id)).await?;
        tracing::info!(token = id, by = %caller.name, "deleted a token");
        Ok(())
    }

    async fn prepare_token_end(
        &self,
        caller: &Caller,
        reach: &Reach,
        id: &str,
    ) -> Result<Prepared<()>, Error> {
        let not_found = || Error::not_found(Kind::Token, id);
        // The hashes that begin with it follow after it in the order of the keys.
        let from = keys::token(id);
        let page = self.store.list(&keys::tokens(), Some(&from), 1).await?;
        let entry = page.entries.into_iter().next().ok_or_else(not_found)?;
        let hash = entry.key.parts().last().unwrap_or_default().into_owned();
        if id != id_of(&hash) {
            return Err(not_found());
        }
        let record: TokenRecord = decode(Kind::Token.as_str(), &entry.value)?;
        let user = match &record.user {
            Some(guid) => self.load::<User>(Kind::User, &keys::user(guid)).await?.map(|found| found.record),
            None => None,
        };
        if !may_see(caller, reach, &record, user.as_ref()) {
            return Err(not_found());
        }
        if record.role.level() > caller.role.level() {
            let message =
                format!("a token of the role {} cannot end one of the role {}", caller.role, record.role);
            return Err(Error::Forbidden(message));
        }
        let batch = Batch::new().delete(entry.key.clone(), Expect::At(entry.version));
        let batch = self.free_token_name(batch, &record, &hash).await?;
        Ok(Prepared::new((), batch, false))
    }

    /// Adds to `batch` that the name of a token is free, if it is the one that has it.
    async fn free_token_name(&self, batch: Batch, record: &TokenRecord, hash: &str) -> Result<Batch, Error> {
        let key = keys::token_name(record);
        let index = self.load::<String>(Kind::Index, &key).await?;
        Ok(match index {
            Some(index) if index.record == hash => batch.delete(key, Expect::At(index.version)),
            _ => batch,
        })
    }

    /// Removes the tokens of a user who is gone.
    pub(super) async fn remove_tokens_of(&self, user: &UserGuid) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.store.list(&keys::tokens(), after.as_ref(), PORTION).await?;
            after = page.entries.last().map(|entry| entry.key.clone());
            let mut theirs = Vec::new();
            for entry in page.entries {
                let record: TokenRecord = decode(Kind::Token.as_str(), &entry.value)?;
                if record.user.as_ref() == Some(user) {
                    theirs.push(entry.key);
                }
            }
            for keys in theirs.chunks(AT_ONCE) {
                let batch =
                    keys.iter().fold(Batch::new(), |batch, key| batch.delete(key.clone(), Expect::Any));
                self.store.commit(batch).await?;
            }
            if !page.more {
                break;
            }
        }
        let names = keys::token_names(user);
        loop {
            let page = self.store.list(&names, None, AT_ONCE).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let entries = page.entries.into_iter();
            let batch = entries.fold(Batch::new(), |batch, entry| batch.delete(entry.key, Expect::Any));
            self.store.commit(batch).await?;
        }
    }
}

/// When a token that is to live for `lifetime` ends. None outlives the one it is made with.
fn judge_end(
    caller: &Caller,
    lifetime: Option<Duration>,
    now: Timestamp,
    faults: &mut Faults,
) -> Option<Timestamp> {
    if lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
        faults.add("lifetime", "lifetime", "must be more than nothing; leave it out for a token without end");
    }
    let asked = lifetime.map(|lifetime| now.after(lifetime));
    match (asked, caller.expires_at) {
        (Some(asked), Some(end)) if asked > end => {
            let message =
                "would outlive the token it is made with; ask for less, or leave it out to end with it";
            faults.add("lifetime", "lifetime", message);
            None
        }
        (asked, end) => asked.or(end),
    }
}

/// Whether `caller` may know of a token, and delete it.
fn may_see(caller: &Caller, reach: &Reach, record: &TokenRecord, user: Option<&User>) -> bool {
    if reach.is_everywhere() {
        return true;
    }
    match (&record.user, user) {
        (Some(guid), _) if caller.user.as_ref() == Some(guid) => opens_no_more(record, caller),
        (Some(_), Some(user)) => reach.covers_all(&user.roles),
        (Some(_), None) => false,
        (None, _) => {
            let within = record.within.as_deref().unwrap_or_default();
            !within.is_empty() && within.iter().all(|place: &Where| reach.covers(place))
        }
    }
}

/// Whether a token opens no place that the caller's does not open.
fn opens_no_more(record: &TokenRecord, caller: &Caller) -> bool {
    let Some(opened) = caller.within() else {
        return true;
    };
    record.within.as_ref().is_some_and(|within| within.iter().all(|place| opened.contains(place)))
}

fn seen(hash: &str, record: TokenRecord, user: Option<&User>) -> SeenToken {
    let most: Option<Level> = user.and_then(|user| user.roles.highest());
    let role = match (&record.user, record.role.level()) {
        (Some(_), Some(bound)) => most.map(|most| Role::from(most.min(bound))),
        _ => Some(record.role),
    };
    SeenToken {
        id: id_of(hash).to_owned(),
        name: record.name,
        user: user.map(|user| user.email.clone()),
        role,
        project: record.project,
        created_at: record.created,
        expires_at: record.expires_at,
    }
}
