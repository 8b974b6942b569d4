use proto::wire::{self, secret::Data};

use super::{About, Described, metadata_facts, when};
use crate::get::{contents, registry, static_routes};
use crate::identity::membership_in_words;
use crate::output::{Facts, Out};
use crate::words;

impl Described for wire::Secret {
    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        facts.add("type", contents(self).0);
        match &self.data {
            Some(Data::Docker(docker)) => {
                facts.add("registry", registry(docker));
                facts.add("user name", docker.username.as_str());
                facts.add("email", docker.email.as_str());
            }
            Some(Data::Opaque(_)) => facts.add("keys", contents(self).1),
            None => {}
        }
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
    }
}

impl Described for wire::Project {
    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        let organization = match self.organization_name.as_str() {
            "" => self.organization.clone(),
            name => format!("{name} ({})", self.organization),
        };
        facts.add("organization", organization);
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
    }
}

impl Described for wire::Organization {
    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        facts.add("short", self.short_guid.as_str());
        facts.add("subscription", words::subscription(self.subscription()));
        facts.add("static routes", static_routes(self));
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
    }
}

impl Described for wire::User {
    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        let role = words::role(self.role());
        facts.add("role", if role.is_empty() { "none in the whole installation" } else { role });
        for (i, membership) in self.memberships.iter().enumerate() {
            facts.add(if i == 0 { "member of" } else { "" }, membership_in_words(membership));
        }
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
    }
}

impl Described for wire::Token {
    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        facts.add("name", self.name.as_str());
        facts.add("user", self.user.as_str());
        facts.add("role", words::role(self.role()));
        facts.add("project", self.project.as_str());
        facts.add("created", when(self.created_at, about.now));
        let ends = self.expires_at.map(|at| prost_types::Timestamp { nanos: 0, ..at }.to_string());
        facts.add("ends", ends.unwrap_or_else(|| "never".to_owned()));
        facts.print(out);
    }
}
