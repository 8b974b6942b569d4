//! Packages: create, get, list, delete.

use proto::ProjectId;

use super::{Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::package::{JudgedPackage, PackageDraft};
use crate::domain::record::GuidIndex;
use crate::domain::{Faults, Package, PackageGuid, PackageName, Version};
use crate::store::{self, Batch, Expect};

/// Deployments named in a refusal, beyond which their number will do.
const NAMED_USERS: usize = 5;

impl Service {
    /// Creates the package `draft` describes; `faults` are those its transport found.
    pub async fn create_package(
        &self,
        project: &ProjectId,
        draft: &PackageDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Package, Error> {
        let judged = draft.judge(faults).map_err(Error::Invalid)?;
        let created =
            self.commit("the package", || self.prepare_package(project, judged.clone(), dry_run)).await?;
        Ok(created.record)
    }

    async fn prepare_package(
        &self,
        project: &ProjectId,
        judged: JudgedPackage,
        dry_run: bool,
    ) -> Result<Prepared<Package>, Error> {
        let key = keys::package(project, &judged.name, &judged.version);
        if self.load::<Package>(Kind::Package, &key).await?.is_some() {
            let message = format!(
                "package {} {} exists already; a package never changes: give the change a new version",
                judged.name, judged.version
            );
            return Err(Error::AlreadyExists(Faults::one("metadata.name", "package_exists", message)));
        }
        let package = judged.create(project.clone(), self.now(), self.chance.as_ref())?;
        let (mut invalid, mut refused) = (Faults::new(), Faults::new());
        let relied_on =
            self.rely_on_secrets(project, &package.secret_uses(), &mut invalid, &mut refused).await?;
        if !invalid.is_empty() {
            return Err(Error::Invalid(invalid));
        }
        if !refused.is_empty() {
            return Err(Error::Refused(refused));
        }
        let index = GuidIndex::Package { name: package.name.clone(), version: package.version.clone() };
        let batch = Batch::new().put(key, Expect::Absent, stored(Kind::Package, &package)?).put(
            keys::guid(project, package.guid.as_str()),
            Expect::Absent,
            stored(Kind::Index, &index)?,
        );
        let batch = relied_on.into_iter().fold(batch, Batch::with);
        Ok(Prepared::new(package, batch, dry_run))
    }

    /// The package called `name` (or with that guid) and `version`, which may be empty when there is
    /// only one.
    pub async fn get_package(
        &self,
        project: &ProjectId,
        name: &str,
        version: &str,
    ) -> Result<Package, Error> {
        Ok(self.find_package(project, name, version).await?.record)
    }

    /// Packages in the order of their names and versions.
    pub async fn list_packages(
        &self,
        project: &ProjectId,
        asked: &PageAsked,
    ) -> Result<Listed<Package>, Error> {
        self.list_records(Kind::Package, &keys::packages(project), asked, |_| true).await
    }

    /// Deletes a package that no live deployment uses.
    ///
    /// It is marked first, which keeps new deployments from using it; then whether any uses it is looked
    /// at once more; then it goes, or the mark is taken off again. A mark left behind by a crash keeps new
    /// deployments off until the deletion is asked for again.
    pub async fn delete_package(&self, project: &ProjectId, name: &str, version: &str) -> Result<(), Error> {
        let found = self.find_package(project, name, version).await?.record;
        self.refuse_if_used(project, &found).await?;
        let key = keys::package(project, &found.name, &found.version);
        let marked = self.commit("the package", || self.prepare_mark(project, &found, true)).await?;
        let mark = Expect::At(store::Version(marked.revision.number));
        if let Err(used) = self.refuse_if_used(project, &found).await {
            self.commit("the package", || self.prepare_mark(project, &found, false)).await?;
            return Err(used);
        }
        let batch =
            Batch::new().delete(key, mark).delete(keys::guid(project, found.guid.as_str()), Expect::Any);
        self.store.commit(batch).await?;
        Ok(())
    }

    async fn prepare_mark(
        &self,
        project: &ProjectId,
        package: &Package,
        being_deleted: bool,
    ) -> Result<Prepared<()>, Error> {
        let key = keys::package(project, &package.name, &package.version);
        let found = self.load::<Package>(Kind::Package, &key).await?;
        let Some(found) = found.filter(|found| found.record.guid == package.guid) else {
            return Err(Error::not_found(Kind::Package, package.name.as_str()));
        };
        let marked = Package { being_deleted, ..found.record };
        let batch = Batch::new().put(key, Expect::At(found.version), stored(Kind::Package, &marked)?);
        Ok(Prepared::new((), batch, false))
    }

    async fn refuse_if_used(&self, project: &ProjectId, package: &Package) -> Result<(), Error> {
        let prefix = keys::package_uses(project, &package.name, &package.version);
        let users = self.store.list(&prefix, None, NAMED_USERS).await?;
        if users.entries.is_empty() {
            return Ok(());
        }
        let mut named = Vec::new();
        for entry in &users.entries {
            let guid = entry.key.parts().last().unwrap_or_default();
            named.push(match self.find_deployment(project, &guid).await {
                Ok(found) => format!("deployment {} ({guid})", found.record.name),
                Err(_) => guid.into_owned(),
            });
        }
        let more = if users.more { " and more" } else { "" };
        let message = format!(
            "package {} {} is used by {}{more}; stop what uses it first",
            package.name,
            package.version,
            named.join(", ")
        );
        Err(Error::refused("name", "package_in_use", message))
    }

    pub(super) async fn find_package(
        &self,
        project: &ProjectId,
        name: &str,
        version: &str,
    ) -> Result<Loaded<Package>, Error> {
        let not_found = || Error::not_found(Kind::Package, format!("{name} {version}").trim_end());
        if let Ok(guid) = PackageGuid::parse(name)
            && let Some(index) =
                self.load::<GuidIndex>(Kind::Index, &keys::guid(project, guid.as_str())).await?
            && let GuidIndex::Package { name, version } = index.record
        {
            let key = keys::package(project, &name, &version);
            return self.load(Kind::Package, &key).await?.ok_or_else(not_found);
        }
        let Ok(parsed) = PackageName::parse(name) else {
            return Err(not_found());
        };
        if !version.is_empty() {
            let Ok(version) = Version::parse(version) else {
                return Err(not_found());
            };
            let key = keys::package(project, &parsed, &version);
            return self.load(Kind::Package, &key).await?.ok_or_else(not_found);
        }
        let versions = self.store.list(&keys::versions(project, &parsed), None, 2).await?;
        match versions.entries.as_slice() {
            [] => Err(not_found()),
            [only] => self.load(Kind::Package, &only.key).await?.ok_or_else(not_found),
            _ => {
                let message = format!("package {name} has several versions; say which");
                Err(Error::Invalid(Faults::one("version", "version_required", message)))
            }
        }
    }
}
