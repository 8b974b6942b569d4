//! What it takes to call each method. The whole table; what is not in it takes the most.

use crate::domain::Access;

/// What it takes to call the method at `path` (`/epr.v1.PackageService/GetPackage`).
pub(super) fn access_of(path: &str) -> Access {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (service, method) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match service {
        "grpc.health.v1.Health" => Access::Open,
        "grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection" => Access::Anyone,
        _ => service.strip_prefix("epr.v1.").and_then(|ours| of_ours(ours, method)).unwrap_or(Access::Manage),
    }
}

fn of_ours(service: &str, method: &str) -> Option<Access> {
    use Access::{Anyone, Change, Feed, Manage, Read, Run};
    Some(match (service, method) {
        ("PackageService", "GetPackage" | "ListPackages") => Read,
        ("PackageService", "CreatePackage" | "DeletePackage") => Change,
        ("DeploymentService", "GetDeployment" | "ListDeployments") => Read,
        ("DeploymentService", "CreateDeployment" | "UpdateDeployment" | "StopDeployment") => Change,
        ("StaticRouteService", "GetStaticRoute" | "ListStaticRoutes") => Read,
        (
            "StaticRouteService",
            "CreateStaticRoute" | "UpdateStaticRoute" | "DeleteStaticRoute" | "BindStaticRoute"
            | "UnbindStaticRoute",
        ) => Change,
        ("SecretService", "GetSecret" | "ListSecrets") => Read,
        ("SecretService", "CreateSecret" | "UpdateSecret" | "DeleteSecret") => Change,
        ("RouteService", "ListRoutes" | "Explain") | ("FleetService", "ListProxies") => Read,
        ("RouteFeedService", "Follow") => Feed,
        (
            "RuntimeService",
            "OpenLease" | "KeepAlive" | "CloseLease" | "ReportDeployment" | "WatchDeployments"
            | "GetDeploymentSecrets",
        ) => Run,
        ("IdentityService", "WhoAmI") => Anyone,
        (
            "IdentityService",
            "GetOrganization" | "ListOrganizations" | "GetProject" | "ListProjects" | "GetUser" | "ListUsers"
            // Everybody has tokens of their own.
            | "CreateToken" | "ListTokens" | "DeleteToken",
        ) => Read,
        (
            "IdentityService",
            "CreateOrganization" | "UpdateOrganization" | "DeleteOrganization" | "CreateProject"
            | "DeleteProject" | "CreateUser" | "SetUserRoles" | "DeleteUser",
        ) => Manage,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::domain::Role;

    /// The methods there are, as `Service/Method`.
    fn methods() -> Vec<(String, String)> {
        let set = prost_types::FileDescriptorSet::decode(proto::wire::DESCRIPTORS).unwrap();
        let services = set.file.into_iter().filter(|file| file.package() == "epr.v1").flat_map(|f| f.service);
        services
            .flat_map(|service| {
                let name = service.name().to_owned();
                service.method.into_iter().map(move |method| (name.clone(), method.name().to_owned()))
            })
            .collect()
    }

    /// Every method there is, so that a new one is thought of here.
    #[test]
    fn each_method_is_in_the_table() {
        let methods = methods();
        assert!(methods.len() > 40, "{methods:?}");
        let missing: Vec<_> = methods.iter().filter(|(s, m)| of_ours(s, m).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?} take the most, for nobody has said what they take");
    }

    #[test]
    fn what_changes_something_is_not_for_those_who_read() {
        for (service, method) in methods() {
            let access = access_of(&format!("/epr.v1.{service}/{method}"));
            let reads = ["Get", "List", "Explain"].iter().any(|verb| method.starts_with(verb));
            let own_tokens = ["CreateToken", "DeleteToken"].contains(&method.as_str());
            let expected = (reads && access != Access::Run) || own_tokens || method == "WhoAmI";
            assert_eq!(access.admits(Role::Viewer), expected, "{service}/{method}");
            if service == "IdentityService" && !reads && !own_tokens && method != "WhoAmI" {
                assert_eq!(access, Access::Manage, "{method}");
            }
        }
    }

    #[test]
    fn machines_call_their_own_methods_alone() {
        let calls = |role: Role| {
            let may = |(s, m): &(String, String)| access_of(&format!("/epr.v1.{s}/{m}")).admits(role);
            let mut calls: Vec<_> = methods().into_iter().filter(may).map(|(_, method)| method).collect();
            calls.sort_unstable();
            calls
        };
        assert_eq!(calls(Role::Proxy), ["Follow", "WhoAmI"]);
        assert_eq!(
            calls(Role::Runtime),
            [
                "CloseLease",
                "GetDeploymentSecrets",
                "KeepAlive",
                "OpenLease",
                "ReportDeployment",
                "WatchDeployments",
                "WhoAmI"
            ]
        );
    }

    #[test]
    fn what_is_not_known_takes_the_most() {
        for path in [
            "",
            "/",
            "GetPackage",
            "/other.Service/GetPackage",
            "/epr.v1.PackageService/",
            "/epr.v1.PackageService/GetEverything",
            "/epr.v1.OtherService/ListThings",
        ] {
            assert_eq!(access_of(path), Access::Manage, "{path:?}");
        }
        assert_eq!(access_of("/grpc.health.v1.Health/Check"), Access::Open);
    }
}
