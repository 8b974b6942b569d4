use super::fields::Fields;
use super::metadata;
use crate::wire::{self, secret::Data};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Docker,
    Opaque,
}

const TYPES: [(&str, Type); 2] = [("Docker", Type::Docker), ("Opaque", Type::Opaque)];

pub(super) fn read(fields: &mut Fields<'_>) -> wire::Secret {
    let (metadata, _) = metadata::read(fields, |_| ());
    let data = fields.required_map(("spec", ""), read_data).flatten();
    wire::Secret { metadata: Some(metadata), data }
}

fn read_data(spec: &mut Fields<'_>) -> Option<Data> {
    spec.ignore("secretKeys");
    spec.choice("runtime", &[("cloud", ()), ("device", ())]);
    spec.leave_out("depends");
    let declared = spec.choice(("type", "data"), &TYPES);
    if !spec.has("type") {
        spec.fault("type", "missing; Docker or Opaque");
    }
    let docker = spec.map("docker", |docker| wire::DockerCredentials {
        registry: docker.text("registry").unwrap_or_default(),
        username: docker.text("username").unwrap_or_default(),
        password: docker.text("password").unwrap_or_default(),
        email: docker.text("email").unwrap_or_default(),
    });
    let values = spec.text_map(("data", "opaque.values"));
    match declared? {
        Type::Docker => {
            if !values.is_empty() {
                spec.fault("data", "an Opaque secret has it, and this one is Docker; leave it out");
            }
            if docker.is_none() && !spec.has("docker") {
                spec.fault("docker", "missing; write `docker: {username: …, password: …, email: …}`");
            }
            docker.map(Data::Docker)
        }
        Type::Opaque => {
            if docker.is_some() {
                spec.fault("docker", "a Docker secret has it, and this one is Opaque; leave it out");
            }
            Some(Data::Opaque(wire::OpaqueData { values: values.into_iter().collect() }))
        }
    }
}
