use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

type Waits = Pin<Box<dyn Future<Output = Lease> + Send>>;

/// The lease if it is granted at once, otherwise the future that waits for it.
fn ask(account: &Arc<Account>, bytes: usize) -> Result<Lease, Waits> {
    let mut waits: Waits = Box::pin(Arc::clone(account).lease(bytes));
    granted(&mut waits).ok_or(waits)
}

fn granted(waits: &mut Waits) -> Option<Lease> {
    match waits.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(lease) => Some(lease),
        Poll::Pending => None,
    }
}

#[track_caller]
fn now(account: &Arc<Account>, bytes: usize) -> Lease {
    ask(account, bytes).unwrap_or_else(|_| panic!("{bytes} bytes are not granted at once"))
}

#[track_caller]
fn later(account: &Arc<Account>, bytes: usize) -> Waits {
    ask(account, bytes).err().unwrap_or_else(|| panic!("{bytes} bytes are granted at once"))
}

#[test]
fn connectors_that_are_stuck_leave_a_floor_to_each_other() {
    let budget = Budget::new(100, 10);
    let stuck: Vec<_> = (0..8).map(|_| budget.open()).collect();
    let healthy = budget.open();
    // Each connector takes what it can get and never gives any of it back.
    let mut held = Vec::new();
    for _ in 0..20 {
        held.extend(stuck.iter().filter_map(|account| ask(account, 5).ok()));
    }
    assert_eq!(budget.lock().sums.beyond_bytes, 10, "all that is shared is taken");
    for _ in 0..3 {
        let (a, b) = (now(&healthy, 5), now(&healthy, 5));
        let mut third = later(&healthy, 5);
        drop(a);
        let third = granted(&mut third).expect("its own bytes came back");
        drop((b, third));
    }
}

#[test]
fn what_is_shared_goes_to_whoever_needs_it() {
    let budget = Budget::new(100, 10);
    let (one, other) = (budget.open(), budget.open());
    let most = now(&one, 90);
    let floor = now(&other, 10);
    let mut more = later(&other, 1);
    drop(most);
    drop((granted(&mut more).expect("the shared part came back"), floor));
}

#[test]
fn a_row_larger_than_the_budget_passes_and_holds_up_nobody() {
    let budget = Budget::new(100, 10);
    let (one, other) = (budget.open(), budget.open());
    let small = now(&one, 1);
    let mut huge = later(&one, 1000);
    let shared = now(&other, 90);
    drop(small);
    let huge = granted(&mut huge).expect("nothing else of its connector is held");
    // It does not matter how long the huge lease is held.
    let mut second = later(&one, 1000);
    drop(shared);
    drop(now(&other, 90));
    drop(huge);
    drop(granted(&mut second).expect("the first one has passed"));
}

#[test]
fn whoever_gives_up_waiting_leaves_nothing_behind() {
    let budget = Budget::new(20, 10);
    let (one, other) = (budget.open(), budget.open());
    let held = now(&one, 10);
    drop(later(&one, 5));
    assert!(budget.lock().waiting.is_empty());
    // This request is granted, but its future is dropped before it takes the lease.
    let waits = later(&one, 5);
    drop(held);
    drop(waits);
    drop(now(&one, 10));
    drop((one, other));
    assert_eq!(budget.lock().sums.accounts, 0);
}

#[test]
fn a_connector_that_goes_leaves_its_floor_to_the_others() {
    let budget = Budget::new(20, 10);
    let (one, other) = (budget.open(), budget.open());
    let floor = now(&one, 10);
    let mut more = later(&one, 10);
    let last = now(&other, 10);
    drop(other);
    assert!(granted(&mut more).is_none(), "a lease keeps the floor");
    drop(last);
    drop((granted(&mut more).expect("it is shared now"), floor));
}

/// What one of four connectors does: it asks for bytes, drops its oldest lease, or drops its oldest waiting request.
#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    Return,
    GiveUp,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![4 => (0..160_usize).prop_map(Step::Ask), 3 => Just(Step::Return), 1 => Just(Step::GiveUp)];
    prop::collection::vec((0..4_usize, step), 0..120)
}

proptest! {
    #[test]
    fn the_laws_hold(total in 0..150_usize, floor in 0..40_usize, steps in steps()) {
        let budget = Budget::new(total, floor);
        let accounts: Vec<_> = (0..4).map(|_| budget.open()).collect();
        let mut leases: [Vec<Lease>; 4] = Default::default();
        let mut waits: [Vec<Waits>; 4] = Default::default();
        for (who, step) in steps {
            let held = |leases: &[Lease]| leases.iter().filter_map(|lease| lease.bytes).sum::<usize>();
            match step {
                Step::Ask(bytes) => {
                    let must = leases[who].is_empty() || held(&leases[who]) + bytes <= floor;
                    // If earlier requests wait, one of them may have been granted and counts although nobody took it
                    // yet.
                    let is_alone = waits[who].is_empty();
                    match ask(&accounts[who], bytes) {
                        Ok(lease) => leases[who].push(lease),
                        Err(wait) => {
                            prop_assert!(!(must && is_alone), "{bytes} bytes are refused");
                            waits[who].push(wait);
                        }
                    }
                }
                Step::Return if !leases[who].is_empty() => drop(leases[who].remove(0)),
                Step::GiveUp if !waits[who].is_empty() => drop(waits[who].remove(0)),
                Step::Return | Step::GiveUp => {}
            }
            for (waits, leases) in waits.iter_mut().zip(&mut leases) {
                let mut at = 0;
                while at < waits.len() {
                    match granted(&mut waits[at]) {
                        Some(lease) => {
                            leases.push(lease);
                            drop(waits.remove(at));
                        }
                        None => at += 1,
                    }
                }
                prop_assert!(waits.is_empty() || !leases.is_empty(), "one that holds nothing waits");
            }
            let beyond: usize = leases.iter().map(|leases| held(leases).saturating_sub(floor)).sum();
            let sums = &budget.lock().sums;
            prop_assert_eq!(sums.beyond_bytes, beyond);
            prop_assert!(beyond <= sums.shared_bytes());
        }
        drop((waits, leases, accounts));
        let shared = budget.lock();
        prop_assert_eq!((shared.sums.accounts, shared.sums.beyond_bytes, shared.waiting.len()), (0, 0, 0));
    }
}
