//! The packages, deployments and static routes of the stories, as the manifests an operator would write.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// What an external endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP and WebSocket on the plain port.
    Http,
    /// HTTPS and WSS to an HTTP/1.1 backend.
    Https,
    /// HTTPS to a backend that speaks HTTP/2 in the clear, as gRPC servers do.
    HttpsH2c,
    /// TLS passed through.
    SecureTcp,
}

/// One deployment of a package of its own, with what it binds.
#[derive(Debug, Clone)]
pub struct App {
    name: String,
    endpoints: Vec<EndpointOf>,
}

#[derive(Debug, Clone)]
struct EndpointOf {
    name: String,
    speaks: Speaks,
    backends: Vec<SocketAddr>,
    static_route: Option<String>,
}

impl App {
    /// An application without endpoints.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), endpoints: Vec::new() }
    }

    /// One more endpoint, with its static backends.
    #[must_use]
    pub fn endpoint(mut self, name: &str, speaks: Speaks, backends: &[SocketAddr]) -> Self {
        let endpoint =
            EndpointOf { name: name.to_owned(), speaks, backends: backends.to_vec(), static_route: None };
        self.endpoints.push(endpoint);
        self
    }

    /// A static route bound to the endpoint added last. It must exist.
    #[must_use]
    pub fn bound(mut self, static_route: &str) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.static_route = Some(static_route.to_owned());
        }
        self
    }

    /// Package and deployment.
    pub fn manifest(&self) -> String {
        format!("{}---\n{}", self.package(), self.deployment())
    }

    /// The static routes it binds, then package and deployment.
    pub fn manifest_with_routes(&self) -> String {
        let names = self.endpoints.iter().filter_map(|endpoint| endpoint.static_route.as_deref());
        let routes: String = names.map(|name| format!("{}---\n", static_route(name))).collect();
        routes + &self.manifest()
    }

    /// The package alone.
    pub fn package(&self) -> String {
        let name = &self.name;
        let mut text = format!(
            "apiVersion: api.rapyuta.io/v2\nkind: Package\nmetadata:\n  name: {name}\n  version: v1.0.0\n\
             spec:\n  runtime: cloud\n  executables:\n  - name: app\n    type: docker\n    docker:\n      \
             image: example/{name}\n  endpoints:\n"
        );
        for endpoint in &self.endpoints {
            let (kind, protocol) = endpoint.speaks.words();
            let name = &endpoint.name;
            let _ = write!(text, "  - name: {name}\n    type: {kind}\n    targetPort: 8000\n{protocol}");
        }
        text
    }

    /// The deployment alone.
    pub fn deployment(&self) -> String {
        let name = &self.name;
        let mut text = format!(
            "apiVersion: api.rapyuta.io/v2\nkind: Deployment\nmetadata:\n  name: {name}\n  depends:\n    \
             kind: package\n    nameOrGUID: {name}\n    version: v1.0.0\nspec:\n  runtime: cloud\n"
        );
        let bound = || self.endpoints.iter().filter_map(|e| Some((&e.name, e.static_route.as_deref()?)));
        if bound().next().is_some() {
            text.push_str("  staticRoutes:\n");
        }
        for (endpoint, route) in bound() {
            let depends = format!("kind: staticroute\n      nameOrGUID: {route}");
            let _ = write!(text, "  - name: {endpoint}\n    depends:\n      {depends}\n");
        }
        text.push_str("  backends:\n");
        for EndpointOf { name, backends, .. } in &self.endpoints {
            let list: Vec<String> = backends.iter().map(|addr| format!("{:?}", addr.to_string())).collect();
            let _ = writeln!(text, "    {name}: [{}]", list.join(", "));
        }
        text
    }
}

impl Speaks {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Http => ("external-http", ""),
            Self::Https => ("external-https", ""),
            Self::HttpsH2c => ("external-https", "    backendProtocol: h2c\n"),
            Self::SecureTcp => ("external-tls-tcp", ""),
        }
    }
}

/// A static route.
pub fn static_route(name: &str) -> String {
    format!("apiVersion: api.rapyuta.io/v2\nkind: StaticRoute\nmetadata:\n  name: {name}\n")
}

/// A static route that serves these sources only.
pub fn static_route_for(name: &str, sources: &[&str]) -> String {
    format!("{}spec:\n  sourceIPRange: [{}]\n", static_route(name), sources.join(", "))
}
