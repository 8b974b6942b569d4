use super::*;
use crate::domain::package::RestartPolicy;

pub(super) fn everything() -> Settings {
    Settings {
        runtime: Some(Runtime::Cloud),
        restart: Some(RestartPolicy::OnFailure),
        device: String::new(),
        ros_networks: vec![RosNetwork {
            network: "net".into(),
            domain_id: Some(42),
            interface: "eth0".into(),
        }],
        features: Some(Features {
            params_enabled: true,
            params_trees: vec!["tree".into()],
            params_block_until_synced: true,
            vpn_enabled: true,
        }),
        service_account: "robot".into(),
        network_interface: "eth1".into(),
    }
}

#[test]
fn what_is_said_beside_is_kept() {
    assert_eq!(create(&DeploymentDraft { settings: everything(), ..draft() }).settings, everything());
}

#[test]
fn rules_on_what_is_said_beside() {
    breaks(&[("spec.runtime", "runtime_mismatch")], |d| d.settings.runtime = Some(Runtime::Device));
    breaks(&[("spec.device", "device_on_cloud")], |d| d.settings.device = "robot-1".into());
    breaks(&[("spec.service_account", "text")], |d| d.settings.service_account = "a\nb".into());
    breaks(&[("spec.network_interface", "text")], |d| d.settings.network_interface = "x".repeat(257));
    let network =
        |name: &str, domain_id| RosNetwork { network: name.into(), domain_id, ..Default::default() };
    breaks(
        &[
            ("spec.ros_networks[0].network", "ros_network"),
            ("spec.ros_networks[1].domain_id", "ros_domain_id"),
            ("spec.ros_networks[2].network", "ros_network_twice"),
        ],
        |d| {
            d.settings.ros_networks =
                vec![network("", None), network("a", Some(233)), network("a", Some(232))]
        },
    );
    breaks(&[("spec.ros_networks", "too_many_ros_networks")], |d| {
        d.settings.ros_networks = (0..17).map(|n| network(&n.to_string(), None)).collect();
    });
    breaks(&[("spec.features.params_trees[1]", "params_tree")], |d| {
        let params_trees = vec!["a".into(), String::new()];
        d.settings.features = Some(Features { params_trees, ..Default::default() });
    });
}

#[test]
fn owners_of_volumes_are_for_devices() {
    let owned = VolumeDraft { uid: Some(1), gid: Some(2), perm: Some(755), ..volume("one", "/a") };
    let at = |name| format!("spec.volumes[0].{name}");
    let fields = [at("uid"), at("gid"), at("perm")];
    let expected: Vec<_> = fields.iter().map(|field| (field.as_str(), "volume_owner_on_cloud")).collect();
    breaks(&expected, |d| d.volumes = vec![owned.clone()]);

    let mut on_device = package();
    on_device.plans[0].components[0].runtime = Runtime::Device;
    on_device.plans[0].components[0].endpoints.clear();
    let known = Known { package: Some(&on_device), ..Default::default() };
    let settings =
        Settings { device: "robot-1".into(), runtime: Some(Runtime::Device), ..Default::default() };
    let draft = DeploymentDraft { volumes: vec![owned], settings, ..draft() };
    let judged = judge(&draft, &known).unwrap();
    assert_eq!((judged.volumes[0].uid, judged.volumes[0].perm), (Some(1), Some(755)));
    breaks_in(&known, &[("spec.volumes[0].perm", "volume_perm")], |d| {
        d.volumes = vec![VolumeDraft { perm: Some(788), ..volume("one", "/a") }];
    });
    // A device mounts a directory of its own, or a disk.
    let on_host = VolumeDraft { disk: String::new(), sub_path: "/var/maps".into(), ..volume("one", "/a") };
    let many = ["/a", "/b", "/c"].map(|at| VolumeDraft { mount_path: at.into(), ..on_host.clone() });
    assert!(judge(&DeploymentDraft { volumes: many.into(), ..draft.clone() }, &known).is_ok());
    breaks_in(&known, &[("spec.volumes[0].sub_path", "sub_path_required")], |d| {
        d.volumes = vec![VolumeDraft { sub_path: String::new(), ..on_host }];
    });
}

#[test]
fn values_stand_here_or_in_a_secret() {
    let from =
        |name: &str| EnvArgDraft { value_from: Some(("db".into(), "password".into())), ..arg(name, "") };
    let deployment = create(&DeploymentDraft { env_args: vec![from("KEY"), from("MORE")], ..draft() });
    assert_eq!(
        deployment.secrets().collect::<Vec<_>>(),
        ["db", "db", "db"],
        "the parameter KEY, and both given"
    );
    breaks(&[("spec.env_args[0].value", "value_twice")], |d| {
        d.env_args = vec![EnvArgDraft { value: "x".into(), ..from("KEY") }];
    });
    breaks(&[("spec.env_args[0].exposed_as", "secret_exposed")], |d| {
        d.env_args = vec![EnvArgDraft { exposed_as: "THEIR_KEY".into(), ..from("KEY") }];
    });
    breaks(&[("spec.env_args[0].value_from.secret", "name")], |d| {
        d.env_args = vec![EnvArgDraft { value_from: Some((String::new(), "k".into())), ..arg("KEY", "") }];
    });
}
