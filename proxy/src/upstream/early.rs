use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Response, StatusCode};

use crate::config::fixed;

/// Interim answers (RFC 9110 15.2) on their way to whoever speaks with the client: a backend's, and the word for
/// which a client waits before it sends its body.
#[derive(Clone, Default)]
pub(crate) struct Early(Rc<Queue>);

#[derive(Default)]
struct Queue {
    waiting: RefCell<VecDeque<Response<()>>>,
    told: Cell<usize>,
    reader: Cell<Option<Waker>>,
}

impl Early {
    /// Puts one more. Those beyond what a request may have are dropped.
    pub(crate) fn tell(&self, response: Response<()>) {
        let told = self.0.told.get();
        if told < fixed::INTERIM_ANSWERS {
            self.0.told.set(told + 1);
            self.0.waiting.borrow_mut().push_back(response);
            if let Some(reader) = self.0.reader.take() {
                reader.wake();
            }
        }
    }

    /// Has the client send its body (RFC 9110 15.2.1).
    pub(crate) fn invite(&self) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::CONTINUE;
        self.tell(response);
    }

    /// The next one; else the task is woken when there is one.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Response<()>> {
        let next = self.0.waiting.borrow_mut().pop_front();
        if next.is_none() {
            self.0.reader.set(Some(cx.waker().clone()));
        }
        next.map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_in_order_and_not_without_end() {
        let early = Early::default();
        for status in 103..203 {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            early.tell(response);
        }
        let cx = Context::from_waker(Waker::noop());
        for status in 103..103 + 32 {
            let Poll::Ready(response) = early.poll(&cx) else { panic!("{status} is missing") };
            assert_eq!(response.status(), status);
        }
        assert!(early.poll(&cx).is_pending());
    }
}
