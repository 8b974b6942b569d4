//! Messages by chance: everything a manifest can say, whether any rule allows it or not.

use std::collections::HashMap;

use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::manifest::spelling::{
    ARCHITECTURES, BACKEND_PROTOCOLS, DEVICE_RUNTIMES, ENDPOINT_TYPES, PULL_POLICIES, RESTARTS,
    ROS_ENDPOINT_TYPES, ROS_QOS, RUNTIMES,
};
use crate::wire::{self, executable::Kind, liveness_probe::Check};

/// What people may write as a text: what YAML or JSON might take for something else, too.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z][a-z0-9_-]{0,8}",
        "\\PC{1,6}",
        prop::sample::select(vec![
            "null", "~", "true", "no", "1.10", "0x1f", "1e3", "- a", "a: b", "# c", " x ", "\"q\"", "a\nb\n",
            "\u{1}", "é😀", "{}", "&a", "*a", "!t", "%", "@", "'", "<<", "inf", "12:30",
        ])
        .prop_map(str::to_owned),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), text()]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(any_text(), 0..3)
}

/// One of the words of a field, or nothing.
fn word<T: Copy + Into<i32> + 'static>(words: &[(&str, T)]) -> impl Strategy<Value = i32> + use<T> {
    let numbers: Vec<i32> = words.iter().map(|(_, value)| (*value).into()).collect();
    prop_oneof![Just(0), prop::sample::select(numbers)]
}

fn metadata() -> impl Strategy<Value = Option<wire::Metadata>> {
    let labels = hash_map("[a-z./-]{1,6}", any_text(), 0..3);
    (text(), labels).prop_map(|(name, labels)| Some(wire::Metadata { name, labels, ..Default::default() }))
}

fn secret_key() -> impl Strategy<Value = Option<wire::SecretKey>> {
    option::of((any_text(), any_text()).prop_map(|(secret, key)| wire::SecretKey { secret, key }))
}

fn port() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1..=65_535_u32]
}

fn number() -> impl Strategy<Value = Option<u32>> {
    option::of(any::<u32>())
}

fn check() -> impl Strategy<Value = Check> {
    let header = (text(), any_text()).prop_map(|(name, value)| wire::HttpHeader { name, value });
    let http = (any_text(), port(), any_text(), any_text(), vec(header, 0..2));
    prop_oneof![
        http.prop_map(|(path, port, host, scheme, headers)| {
            Check::HttpGet(wire::HttpGetCheck { path, port, host, scheme, headers })
        }),
        texts().prop_map(|command| Check::Exec(wire::ExecCheck { command })),
        port().prop_map(|port| Check::TcpSocket(wire::TcpSocketCheck { port })),
    ]
}

fn probe() -> impl Strategy<Value = wire::LivenessProbe> {
    (option::of(check()), number(), number(), number(), number(), number()).prop_map(
        |(
            check,
            initial_delay_seconds,
            timeout_seconds,
            period_seconds,
            success_threshold,
            failure_threshold,
        )| {
            wire::LivenessProbe {
                check,
                initial_delay_seconds,
                timeout_seconds,
                period_seconds,
                success_threshold,
                failure_threshold,
            }
        },
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    let docker = (text(), texts(), any_text(), texts(), word(&PULL_POLICIES));
    prop_oneof![
        docker.prop_map(|(image, command, pull_secret, entrypoint, pull_policy)| {
            Kind::Docker(wire::DockerImage { image, command, pull_secret, entrypoint, pull_policy })
        }),
        (text(), texts(), texts()).prop_map(|(build, command, entrypoint)| {
            Kind::Build(wire::BuildReference { build, command, entrypoint })
        }),
        any_text().prop_map(|command| Kind::Bash(wire::BashCommand { command })),
    ]
}

fn executable() -> impl Strategy<Value = wire::Executable> {
    let cpu = prop_oneof![any_text(), "[0-8]\\.[0-9]{1,3}", "[0-8]"];
    let limits = (cpu, any::<u32>()).prop_map(|(cpu, memory_mib)| wire::Limits { cpu, memory_mib });
    (any_text(), kind(), option::of(limits), option::of(probe()), number(), number()).prop_map(
        |(name, kind, limits, liveness_probe, uid, gid)| wire::Executable {
            name,
            kind: Some(kind),
            limits,
            liveness_probe,
            uid,
            gid,
        },
    )
}

fn parameter() -> impl Strategy<Value = wire::Parameter> {
    (text(), any_text(), option::of(any_text()), any_text(), secret_key()).prop_map(
        |(name, description, default_value, exposed_as, value_from)| wire::Parameter {
            name,
            description,
            default_value,
            exposed_as,
            value_from,
        },
    )
}

fn endpoint() -> impl Strategy<Value = wire::Endpoint> {
    let types: Vec<i32> = ENDPOINT_TYPES.iter().map(|(_, kind)| (*kind).into()).collect();
    let kind = prop::sample::select(types);
    (text(), kind, port(), port(), any_text(), word(&BACKEND_PROTOCOLS)).prop_map(
        |(name, r#type, port, target_port, port_range, backend_protocol)| wire::Endpoint {
            name,
            r#type,
            port,
            target_port,
            port_range,
            backend_protocol,
        },
    )
}

fn ros() -> impl Strategy<Value = wire::Ros> {
    let timeout =
        option::of((-1_000_000..1_000_000_i32).prop_map(|thousandths| f64::from(thousandths) / 1000.0));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let endpoint = (word(&ROS_ENDPOINT_TYPES), text(), flags, word(&ROS_QOS), timeout).prop_map(
        |(r#type, name, (compression, scoped, targeted), qos, timeout)| wire::RosEndpoint {
            r#type,
            name,
            compression,
            scoped,
            targeted,
            qos,
            timeout,
        },
    );
    (any::<bool>(), any_text(), vec(endpoint, 0..3)).prop_map(|(enabled, version, endpoints)| wire::Ros {
        enabled,
        version,
        endpoints,
    })
}

fn component() -> impl Strategy<Value = wire::Component> {
    let device = (word(&ARCHITECTURES), word(&RESTARTS), word(&DEVICE_RUNTIMES))
        .prop_map(|(architecture, restart, runtime)| wire::DeviceSettings { architecture, restart, runtime });
    let name = prop_oneof![Just("default".to_owned()), text()];
    let parts = (vec(executable(), 0..3), vec(parameter(), 0..3), vec(endpoint(), 0..3));
    let rest = (any::<u32>(), option::of(device), option::of(ros()), any::<bool>());
    (name, word(&RUNTIMES), parts, rest).prop_map(
        |(name, runtime, (executables, parameters, endpoints), (replicas, device, ros, host_pid))| {
            let replicas = replicas % 3;
            wire::Component {
                name,
                runtime,
                executables,
                parameters,
                endpoints,
                replicas,
                device,
                ros,
                host_pid,
            }
        },
    )
}

pub(super) fn package() -> impl Strategy<Value = wire::Package> {
    let plan = (any_text(), vec(component(), 0..3)).prop_map(|(name, components)| wire::Plan {
        name,
        components,
        ..Default::default()
    });
    let plans = prop_oneof![
        vec(plan, 0..3),
        component()
            .prop_map(|component| vec![wire::Plan { components: vec![component], ..Default::default() }])
    ];
    (metadata(), text(), any_text(), plans).prop_map(|(metadata, version, description, plans)| {
        wire::Package { metadata, version, description, plans }
    })
}

fn env_var() -> impl Strategy<Value = wire::EnvVar> {
    (text(), any_text(), secret_key(), any_text()).prop_map(|(name, value, value_from, exposed_as)| {
        wire::EnvVar { name, value, value_from, exposed_as }
    })
}

fn volume() -> impl Strategy<Value = wire::Volume> {
    let texts = (any_text(), any_text(), any_text(), any_text());
    (texts, number(), number(), number()).prop_map(
        |((executable, mount_path, disk, sub_path), uid, gid, perm)| wire::Volume {
            executable,
            mount_path,
            disk,
            sub_path,
            uid,
            gid,
            perm,
        },
    )
}

fn features() -> impl Strategy<Value = wire::Features> {
    (any::<bool>(), texts(), any::<bool>(), any::<bool>()).prop_map(
        |(params_enabled, params_trees, params_block_until_synced, vpn_enabled)| wire::Features {
            params_enabled,
            params_trees,
            params_block_until_synced,
            vpn_enabled,
        },
    )
}

/// Backends in the order of their endpoints, as a mapping has them.
fn backends() -> impl Strategy<Value = Vec<wire::EndpointBackends>> {
    let set = |(endpoint, addresses): (String, Vec<String>)| {
        let backends = addresses.into_iter().map(|address| wire::Backend { address, unhealthy: false });
        wire::EndpointBackends { endpoint, backends: backends.collect() }
    };
    btree_map("[A-Z]{1,4}", vec(text(), 0..3), 0..3).prop_map(move |sets| sets.into_iter().map(set).collect())
}

pub(super) fn deployment() -> impl Strategy<Value = wire::Deployment> {
    let binding = (text(), any_text())
        .prop_map(|(static_route, endpoint)| wire::StaticRouteBinding { static_route, endpoint });
    let parent = (text(), any::<bool>())
        .prop_map(|(deployment, wait)| wire::DeploymentDependency { deployment, wait });
    let network = (text(), number(), any_text())
        .prop_map(|(network, domain_id, interface)| wire::RosNetwork { network, domain_id, interface });
    let package = (text(), any_text(), any_text());
    let lists = (
        vec(env_var(), 0..3),
        vec(binding, 0..3),
        vec(volume(), 0..3),
        backends(),
        vec(parent, 0..3),
        vec(network, 0..3),
    );
    let words = (word(&RESTARTS), word(&RUNTIMES));
    let texts = (any_text(), any_text(), any_text());
    (metadata(), package, lists, words, texts, option::of(features())).prop_map(
        |(
            metadata,
            package,
            lists,
            (restart, runtime),
            (device, service_account, network_interface),
            features,
        )| {
            let (package_name, package_version, plan) = package;
            let (env_args, static_routes, volumes, backends, depends, ros_networks) = lists;
            let spec = wire::DeploymentSpec {
                package_name,
                package_version,
                plan,
                env_args,
                static_routes,
                volumes,
                backends,
                depends,
                restart,
                device,
                ros_networks,
                features,
                service_account,
                network_interface,
                runtime,
            };
            wire::Deployment { metadata, spec: Some(spec), status: None }
        },
    )
}

pub(super) fn static_route() -> impl Strategy<Value = wire::StaticRoute> {
    (metadata(), texts()).prop_map(|(metadata, source_ranges)| wire::StaticRoute {
        metadata,
        source_ranges,
        ..Default::default()
    })
}

pub(super) fn secret() -> impl Strategy<Value = wire::Secret> {
    let docker =
        (any_text(), any_text(), any_text(), any_text()).prop_map(|(registry, username, password, email)| {
            wire::secret::Data::Docker(wire::DockerCredentials { registry, username, password, email })
        });
    // Values that are all empty are those that are not told.
    let opaque = btree_map("[a-z._-]{1,5}", text(), 1..3).prop_map(|values| {
        let values: HashMap<_, _> = values.into_iter().collect();
        wire::secret::Data::Opaque(wire::OpaqueData { values })
    });
    (metadata(), prop_oneof![docker, opaque])
        .prop_map(|(metadata, data)| wire::Secret { metadata, data: Some(data) })
}

pub(super) fn project() -> impl Strategy<Value = wire::Project> {
    (metadata(), any_text()).prop_map(|(metadata, organization)| wire::Project {
        metadata,
        organization,
        ..Default::default()
    })
}
