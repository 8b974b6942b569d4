use std::fmt;

use serde::{Deserialize, Serialize};

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything but following the route feed.
    Admin,
    /// Everything in a project.
    Developer,
    /// Reads.
    Viewer,
    /// Follows the route feed, nothing else.
    Proxy,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
            Self::Proxy => "proxy",
        })
    }
}

/// What it takes to call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing.
    Open,
    /// Any token: what the services look like is told to everyone who has one.
    Anyone,
    /// The role of proxies.
    Feed,
    /// A role that reads.
    Read,
    /// A role that changes.
    Change,
}

impl Access {
    /// What it takes to call the method at `path`. A method that is not known takes the most.
    pub(super) fn of(path: &str) -> Self {
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let (service, method) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let reads = ["Get", "List", "Explain"].iter().any(|verb| method.starts_with(verb));
        match service {
            "grpc.health.v1.Health" => Self::Open,
            "grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection" => {
                Self::Anyone
            }
            "epr.v1.RouteFeedService" => Self::Feed,
            _ if reads => Self::Read,
            _ => Self::Change,
        }
    }

    pub(super) fn admits(self, role: Role) -> bool {
        match (self, role) {
            (Self::Open | Self::Anyone, _) => true,
            (Self::Feed, role) => role == Role::Proxy,
            (Self::Read | Self::Change, Role::Admin | Role::Developer) | (Self::Read, Role::Viewer) => true,
            (Self::Read | Self::Change, Role::Proxy) | (Self::Change, Role::Viewer) => false,
        }
    }

    /// Which role it takes, for the one who has another.
    pub(super) fn needed(self) -> &'static str {
        match self {
            Self::Open | Self::Anyone => "any role will do",
            Self::Feed => "it takes the role proxy, like the token in proxy.token",
            Self::Read => "it takes the role viewer, developer or admin",
            Self::Change => "it takes the role developer or admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    /// Every method there is, so that a new one is thought of here.
    #[test]
    fn each_method_takes_what_it_should() {
        let set = prost_types::FileDescriptorSet::decode(proto::wire::DESCRIPTORS).unwrap();
        let mut reads = Vec::new();
        let mut changes = Vec::new();
        for service in
            set.file.iter().filter(|file| file.package() == "epr.v1").flat_map(|file| &file.service)
        {
            for method in &service.method {
                match Access::of(&format!("/epr.v1.{}/{}", service.name(), method.name())) {
                    Access::Feed => assert_eq!(service.name(), "RouteFeedService"),
                    Access::Read => reads.push(method.name()),
                    Access::Change => changes.push(method.name()),
                    other => panic!("{} is {other:?}", method.name()),
                }
            }
        }
        reads.sort_unstable();
        changes.sort_unstable();
        assert_eq!(
            reads,
            [
                "Explain",
                "GetDeployment",
                "GetPackage",
                "GetStaticRoute",
                "ListDeployments",
                "ListPackages",
                "ListProxies",
                "ListRoutes",
                "ListStaticRoutes",
            ]
        );
        assert_eq!(
            changes,
            [
                "BindStaticRoute",
                "CloseLease",
                "CreateDeployment",
                "CreatePackage",
                "CreateStaticRoute",
                "DeletePackage",
                "DeleteStaticRoute",
                "KeepAlive",
                "OpenLease",
                "ReportDeployment",
                "StopDeployment",
                "UnbindStaticRoute",
            ]
        );
    }

    #[test]
    fn roles_do_no_more_than_they_should() {
        let feed = "/epr.v1.RouteFeedService/Follow";
        let read = "/epr.v1.PackageService/GetPackage";
        let change = "/epr.v1.PackageService/CreatePackage";
        let may = |role| [feed, read, change].map(|path| Access::of(path).admits(role));
        assert_eq!(may(Role::Admin), [false, true, true]);
        assert_eq!(may(Role::Developer), [false, true, true]);
        assert_eq!(may(Role::Viewer), [false, true, false]);
        assert_eq!(may(Role::Proxy), [true, false, false]);
        for path in ["", "/", "GetPackage", "/other.Service", "/epr.v1.PackageService/"] {
            assert_eq!(Access::of(path), Access::Change, "{path:?}");
        }
    }
}
