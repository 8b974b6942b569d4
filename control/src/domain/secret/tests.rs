use super::*;
use crate::domain::guid::tests::Counting;
use crate::domain::{Faults, built_in_project, samples};

fn docker(password: &str) -> DataDraft {
    DataDraft::Docker {
        registry: String::new(),
        username: "robot".into(),
        password: Hidden::new(password.into()),
        email: String::new(),
    }
}

fn opaque(values: &[(&str, &str)]) -> DataDraft {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), Hidden::new((*value).into())));
    DataDraft::Opaque(values.collect())
}

fn draft(name: &str, data: DataDraft) -> SecretDraft {
    SecretDraft { name: name.into(), data: Some(data), ..Default::default() }
}

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::draw(&Counting::default()).unwrap()).unwrap()
}

fn create(data: DataDraft, ring: &Keyring) -> Secret {
    let judged = draft("pull", data).judge(Faults::new()).unwrap();
    judged.create(built_in_project(), samples::now(), ring, &Counting::default()).unwrap()
}

#[test]
fn what_is_stored_shows_no_more_than_it_should() {
    let ring = keyring();
    let secret = create(docker("hunter2"), &ring);
    let shape =
        Shape::Docker { registry: DEFAULT_REGISTRY.into(), username: "robot".into(), email: String::new() };
    assert_eq!(secret.shape, shape);
    let text = serde_json::to_string(&secret).unwrap();
    assert!(!text.contains("hunter2") && !format!("{secret:?}").contains("hunter2"), "{text}");
    assert_eq!(serde_json::from_str::<Secret>(&text).unwrap(), secret);
    let data = secret.reveal(&ring).unwrap().unwrap();
    assert_eq!(format!("{data:?}"), "SecretData(docker)");
    assert!(matches!(data, SecretData::Docker { password, .. } if password.reveal() == "hunter2"));
}

#[test]
fn what_one_secret_holds_opens_in_no_other() {
    let ring = keyring();
    let mut secret = create(opaque(&[("KEY", "hush")]), &ring);
    assert_eq!(secret.shape, Shape::Opaque { keys: vec!["KEY".into()] });
    secret.guid = SecretGuid::parse("secret-aaaaaaaaaaaaaaaaaaaa").unwrap();
    assert_eq!(secret.reveal(&ring), Err(SealError::Broken));
    secret.sealed = None;
    assert_eq!(secret.reveal(&ring), Ok(None));
}

#[test]
fn all_faults_at_once_and_none_tells_a_secret() {
    let told = |draft: SecretDraft| {
        let faults = draft.judge(Faults::new()).unwrap_err();
        assert!(!faults.to_string().contains("hush"), "{faults}");
        faults.as_slice().iter().map(|fault| (fault.field.clone(), fault.rule)).collect::<Vec<_>>()
    };
    let own = |list: &[(&str, &'static str)]| {
        list.iter().map(|(field, rule)| ((*field).to_owned(), *rule)).collect::<Vec<_>>()
    };
    let mut bad = draft("", docker("hush\n"));
    bad.labels.insert(String::new(), String::new());
    if let Some(DataDraft::Docker { username, email, .. }) = &mut bad.data {
        username.clear();
        *email = "a\nb".into();
    }
    assert_eq!(
        told(bad),
        own(&[
            ("metadata.name", "name"),
            ("metadata.labels.", "labels"),
            ("docker.username", "secret_text"),
            ("docker.password", "secret_text"),
            ("docker.email", "secret_text"),
        ])
    );
    assert_eq!(
        told(draft("a", opaque(&[("", "hush"), ("a b", "hush"), ("ok.key-1_", "")]))),
        own(&[("opaque.values.", "secret_key"), ("opaque.values.a b", "secret_key")])
    );
    assert_eq!(told(draft("a", opaque(&[]))), own(&[("opaque.values", "secret_keys")]));
    assert_eq!(
        told(draft("a", opaque(&[("a", &"x".repeat(600_000))]))),
        own(&[("opaque.values", "secret_size")])
    );
    assert_eq!(
        told(SecretDraft { name: "a".into(), ..Default::default() }),
        own(&[("data", "secret_empty")])
    );
    let guid = SecretGuid::draw(&Counting::default()).unwrap();
    assert_eq!(told(draft(guid.as_str(), opaque(&[("a", "b")]))), own(&[("metadata.name", "name")]));
}

#[test]
fn each_kind_serves_its_own_use() {
    let ring = keyring();
    let (pull, values) = (create(docker("a"), &ring), create(opaque(&[("KEY", "hush")]), &ring));
    let wanted = |key: Option<&str>| SecretUse {
        field: "f".into(),
        secret: "pull".into(),
        key: key.map(ToOwned::to_owned),
    };
    assert_eq!(pull.judge_use(&wanted(None)), Ok(()));
    assert_eq!(values.judge_use(&wanted(Some("KEY"))), Ok(()));
    assert_eq!(pull.judge_use(&wanted(Some("KEY"))).unwrap_err().rule, "secret_type");
    assert_eq!(values.judge_use(&wanted(None)).unwrap_err().rule, "secret_type");
    assert_eq!(values.judge_use(&wanted(Some("OTHER"))).unwrap_err().rule, "secret_key_unknown");
}
