//! The words of the dialect, for reading and for writing.

use crate::wire::{
    Architecture, BackendProtocol, DeviceRuntime, EndpointType, ExecutableState, Phase, PullPolicy,
    RestartPolicy, RosEndpointType, RosQos, RuntimeKind, Status,
};

/// The words of one field with what they mean.
pub(super) type Words<T> = [(&'static str, T)];

pub(super) const RUNTIMES: [(&str, RuntimeKind); 2] =
    [("cloud", RuntimeKind::Cloud), ("device", RuntimeKind::Device)];

pub(super) const ARCHITECTURES: [(&str, Architecture); 3] =
    [("amd64", Architecture::Amd64), ("arm32v7", Architecture::Arm32v7), ("arm64v8", Architecture::Arm64v8)];

pub(super) const RESTARTS: [(&str, RestartPolicy); 3] = [
    ("always", RestartPolicy::Always),
    ("never", RestartPolicy::Never),
    ("onfailure", RestartPolicy::OnFailure),
];

pub(super) const DEVICE_RUNTIMES: [(&str, DeviceRuntime); 2] =
    [("containers", DeviceRuntime::Containers), ("preinstalled", DeviceRuntime::Preinstalled)];

pub(super) const PULL_POLICIES: [(&str, PullPolicy); 3] = [
    ("IfNotPresent", PullPolicy::IfNotPresent),
    ("Always", PullPolicy::Always),
    ("Never", PullPolicy::Never),
];

pub(super) const ENDPOINT_TYPES: [(&str, EndpointType); 7] = [
    ("external-http", EndpointType::ExternalHttp),
    ("external-https", EndpointType::ExternalHttps),
    ("external-tls-tcp", EndpointType::ExternalSecureTcp),
    ("internal-tcp", EndpointType::InternalTcp),
    ("internal-udp", EndpointType::InternalUdp),
    ("internal-tcp-range", EndpointType::InternalTcpRange),
    ("internal-udp-range", EndpointType::InternalUdpRange),
];

pub(super) const BACKEND_PROTOCOLS: [(&str, BackendProtocol); 2] =
    [("http1", BackendProtocol::Http1), ("h2c", BackendProtocol::H2c)];

pub(super) const ROS_ENDPOINT_TYPES: [(&str, RosEndpointType); 3] = [
    ("topic", RosEndpointType::Topic),
    ("service", RosEndpointType::Service),
    ("action", RosEndpointType::Action),
];

/// The first spelling of each is written.
pub(super) const ROS_QOS: [(&str, RosQos); 6] = [
    ("low", RosQos::Low),
    ("med", RosQos::Medium),
    ("hi", RosQos::High),
    ("max", RosQos::Max),
    ("medium", RosQos::Medium),
    ("high", RosQos::High),
];

pub(super) const PHASES: [(&str, Phase); 6] = [
    ("InProgress", Phase::InProgress),
    ("Provisioning", Phase::Provisioning),
    ("Succeeded", Phase::Succeeded),
    ("FailedToUpdate", Phase::FailedToUpdate),
    ("FailedToStart", Phase::FailedToStart),
    ("Stopped", Phase::Stopped),
];

pub(super) const STATUSES: [(&str, Status); 5] = [
    ("Running", Status::Running),
    ("Pending", Status::Pending),
    ("Error", Status::Error),
    ("Unknown", Status::Unknown),
    ("Stopped", Status::Stopped),
];

pub(super) const EXECUTABLE_STATES: [(&str, ExecutableState); 6] = [
    ("running", ExecutableState::Running),
    ("pending", ExecutableState::Pending),
    ("error", ExecutableState::Error),
    ("terminating", ExecutableState::Terminating),
    ("terminated", ExecutableState::Terminated),
    ("unknown", ExecutableState::Unknown),
];

/// How the dialect spells `value`; nothing when it says nothing.
pub(super) fn word<T: Copy + PartialEq>(value: T, words: &Words<T>) -> Option<&'static str> {
    words.iter().find(|(_, known)| *known == value).map(|(word, _)| *word)
}

/// What `word` means, if it is spelt just so.
pub(super) fn meaning<T: Copy>(word: &str, words: &Words<T>) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}
