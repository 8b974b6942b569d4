use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use tower::{Layer, Service};

use super::{Auth, AuthError};

/// Puts [`Auth`] in front of a service: a request that is not admitted by its head is answered by `refuse`
/// and never reaches the service. Who may do what is for the service to ask again once the rest is there.
#[derive(Clone)]
pub struct AuthLayer<F> {
    auth: Auth,
    refuse: Arc<F>,
}

impl<F> AuthLayer<F> {
    /// Refused requests are answered by `refuse`.
    pub fn new(auth: Auth, refuse: F) -> Self {
        Self { auth, refuse: Arc::new(refuse) }
    }
}

impl<S, F> Layer<S> for AuthLayer<F> {
    type Service = Guarded<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner, auth: self.auth.clone(), refuse: self.refuse.clone() }
    }
}

/// A service that only callers reach who may.
pub struct Guarded<S, F> {
    inner: S,
    auth: Auth,
    refuse: Arc<F>,
}

impl<S: Clone, F> Clone for Guarded<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), auth: self.auth.clone(), refuse: self.refuse.clone() }
    }
}

impl<S, F, A, B> Service<http::Request<A>> for Guarded<S, F>
where
    S: Service<http::Request<A>, Response = http::Response<B>, Future: Send> + Clone + Send + 'static,
    F: Fn(AuthError) -> http::Response<B> + Send + Sync + 'static,
    A: Send + 'static,
{
    type Response = http::Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<A>) -> Self::Future {
        // The one that was polled ready serves this request, its clone the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let (auth, refuse) = (self.auth.clone(), self.refuse.clone());
        Box::pin(async move {
            // Two such headers may mean two things to two readers.
            let mut values = request.headers().get_all(AUTHORIZATION).iter();
            let value = values.next().map(|value| value.as_bytes().to_vec());
            let admitted = match values.next() {
                Some(_) => Err(AuthError::Malformed),
                None => auth.admit(request.uri().path(), value.as_deref()).await,
            };
            match admitted {
                Ok(Some(caller)) => {
                    tracing::debug!(path = request.uri().path(), token = %caller.name, "a call");
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(path = request.uri().path(), %error, "a call was not admitted");
                    return Ok(refuse(error));
                }
            }
            inner.call(request).await
        })
    }
}
