use proptest::prelude::*;
use serde_json::Value;

use super::samples;
use crate::manifest::render::{self, Answers, Owner};
use crate::manifest::{Object, read, read_one};
use crate::wire;

/// What `written` reads as, in JSON, in YAML and as a body; all three the same.
#[track_caller]
fn read_back(written: &Value) -> Object {
    let one = |text: &str| {
        let mut documents = read(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        assert_eq!(documents.len(), 1, "{text}");
        let document = documents.remove(0);
        assert_eq!(document.left_out, []);
        document.object
    };
    let from_json = one(&serde_json::to_string_pretty(written).unwrap());
    let from_yaml = one(&serde_saphyr::to_string(written).unwrap());
    assert_eq!(from_json, from_yaml);
    let body = serde_json::to_vec(written).unwrap();
    let from_body = read_one(from_json.kind(), &body).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(from_json, from_body.object);
    from_json
}

/// A single plan called `default` and one without a name are the same.
fn with_plan_unnamed(mut package: wire::Package) -> wire::Package {
    if let [plan] = package.plans.as_mut_slice()
        && plan.name == "default"
    {
        plan.name.clear();
    }
    package
}

proptest! {
    #[test]
    fn a_package_in_either_form_reads_the_same(package in samples::package()) {
        let expected = Object::Package(with_plan_unnamed(package.clone()));
        prop_assert_eq!(&read_back(&render::package(&package)), &expected);
        let Object::Package(full) = read_back(&render::package_full(&package)) else { panic!() };
        prop_assert_eq!(&Object::Package(with_plan_unnamed(full.clone())), &expected);
        // From the full form to the short one and back.
        prop_assert_eq!(&read_back(&render::package(&full)), &expected);
        let answer = Answers::of(&Owner::default()).package(&package);
        prop_assert_eq!(&read_back(&answer), &expected);
    }

    #[test]
    fn a_deployment_reads_the_same(deployment in samples::deployment()) {
        let expected = Object::Deployment(deployment.clone());
        prop_assert_eq!(&read_back(&render::deployment(&deployment)), &expected);
        let mut said = deployment;
        if let Some(spec) = &mut said.spec {
            spec.set_runtime(wire::RuntimeKind::Device);
        }
        let answer = Answers::of(&Owner::default()).deployment(&said);
        prop_assert_eq!(read_back(&answer), Object::Deployment(said));
    }

    #[test]
    fn other_kinds_read_the_same(
        route in samples::static_route(), secret in samples::secret(), project in samples::project()
    ) {
        for object in [Object::StaticRoute(route), Object::Secret(secret), Object::Project(project)] {
            prop_assert_eq!(&read_back(&render::object(&object)), &object);
        }
    }
}
