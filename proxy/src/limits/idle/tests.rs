use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn registry() -> (Rc<Registry>, Arc<Pressure>) {
    let pressure = Arc::<Pressure>::default();
    let worker = WorkerId::all(1).next().unwrap();
    (Registry::new(pressure.clone(), worker), pressure)
}

fn is_shed(guard: &IdleGuard) -> bool {
    guard.poll_shed(&Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn the_newest_goes_first_and_is_woken() {
    let (registry, pressure) = registry();
    let bells: Vec<_> = (0..3).map(|_| Arc::new(Bell::default())).collect();
    let guards: Vec<_> = bells.iter().map(|_| enter(&registry)).collect();
    for (guard, bell) in guards.iter().zip(&bells) {
        let waker = Waker::from(bell.clone());
        assert!(guard.poll_shed(&Context::from_waker(&waker)).is_pending());
    }
    assert!(registry.shed_newest());
    let rung = |at: usize| bells[at].0.load(Ordering::Relaxed);
    assert_eq!((rung(0), rung(1), rung(2)), (0, 0, 1));
    assert_eq!(guards.iter().map(is_shed).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!((registry.len(), pressure.idle(), pressure.shed()), (2, 2, 1));
    drop(guards);
    assert_eq!((registry.len(), pressure.idle()), (0, 0));
    assert!(!registry.shed_newest());
}

#[test]
fn who_becomes_idle_while_others_wait_goes_at_once() {
    let (registry, pressure) = registry();
    let waits = pressure.wait();
    let (first, second) = (enter(&registry), enter(&registry));
    assert!(is_shed(&first) && !is_shed(&second), "one waits, and one goes");
    drop(first);
    // It has gone, but whoever waits has not seen that yet.
    registry.make_room();
    assert!(is_shed(&second));
    drop((waits, second));
    assert!(!is_shed(&enter(&registry)));
}

#[tokio::test]
async fn whoever_has_most_is_rung_for() {
    let pressure = Arc::<Pressure>::default();
    let workers: Vec<_> = WorkerId::all(3).collect();
    let registries: Vec<_> = workers.iter().map(|id| Registry::new(pressure.clone(), *id)).collect();
    pressure.ring();
    let _idle: Vec<_> = [1, 1, 2].map(|at: usize| enter(&registries[at])).into();
    let _waits = pressure.wait();
    pressure.ring();
    pressure.desk(workers[1]).bell.notified().await;
    registries[1].make_room();
    assert_eq!((registries[1].len(), registries[2].len(), pressure.shed()), (1, 1, 1));
}

#[derive(Debug, Clone)]
enum Step {
    Enter,
    Leave(usize),
    Shed,
}

proptest! {
    #[test]
    fn it_is_a_stack_that_is_left_from_anywhere(
        steps in prop::collection::vec(
            prop_oneof![3 => Just(Step::Enter), 2 => any::<usize>().prop_map(Step::Leave), 1 => Just(Step::Shed)],
            1..200,
        )
    ) {
        let (registry, _) = registry();
        let mut model: VecDeque<IdleGuard> = VecDeque::new();
        for step in steps {
            match step {
                Step::Enter => model.push_front(enter(&registry)),
                Step::Leave(at) if !model.is_empty() => drop(model.remove(at % model.len())),
                Step::Leave(_) => {}
                Step::Shed => {
                    prop_assert_eq!(registry.shed_newest(), !model.is_empty());
                    let shed = model.pop_front();
                    prop_assert!(shed.as_ref().is_none_or(is_shed));
                }
            }
            prop_assert!(model.iter().all(|guard| !is_shed(guard)));
            prop_assert_eq!(registry.len(), model.len());
        }
    }
}
