use super::lane::CAPACITY;
use super::*;
use proptest::prelude::*;

const STREAM: LaneId = LaneId::STREAM;

fn at(word: i64) -> Position {
    let mut position = Position::UNKNOWN;
    position.words[0] = word;
    position
}

fn word(committable: &Committable) -> i64 {
    committable.stream().and_then(|position| position.word(0)).unwrap()
}

fn committed(ledger: &Ledger) -> Option<i64> {
    ledger.committable().as_ref().map(word)
}

fn take(ledger: &Ledger) -> u64 {
    ledger.take(STREAM).unwrap()
}

fn mark(ledger: &Ledger, word: i64) {
    ledger.mark(STREAM, at(word), None);
}

/// Marks a position; the receiver hears when it has been stored.
fn ask(ledger: &Ledger, word: i64) -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    ledger.mark(STREAM, at(word), Some(tell));
    told
}

fn is_told(told: &mut oneshot::Receiver<()>) -> bool {
    told.try_recv().is_ok()
}

#[test]
fn a_position_waits_for_all_before_it() {
    let ledger = Ledger::default();
    let (a, b) = (take(&ledger), take(&ledger));
    mark(&ledger, 1);
    ledger.done(b);
    assert_eq!(committed(&ledger), None);
    ledger.done(a);
    assert_eq!(committed(&ledger), Some(1));
    assert_eq!(committed(&ledger), None);
}

#[test]
fn a_position_without_records_counts_at_once() {
    let ledger = Ledger::default();
    mark(&ledger, 5);
    assert_eq!(committed(&ledger), Some(5));
}

#[test]
fn a_position_put_back_is_given_again_unless_a_later_one_covers_it() {
    let ledger = Ledger::default();
    mark(&ledger, 1);
    let first = ledger.committable().unwrap();
    ledger.put_back(first);
    assert_eq!(committed(&ledger), Some(1));
    mark(&ledger, 1);
    let first = ledger.committable().unwrap();
    let seq = take(&ledger);
    mark(&ledger, 2);
    ledger.done(seq);
    ledger.put_back(first);
    assert_eq!(committed(&ledger), Some(2));
}

#[test]
fn an_answer_tells_those_who_wait_for_its_position_and_nobody_else() {
    let ledger = Ledger::default();
    let mut first = ask(&ledger, 1);
    let write = ledger.committable().unwrap();
    // Nothing was sent in between: both positions are at one number, and the write under way has only the first.
    let mut second = ask(&ledger, 2);
    write.stored();
    assert!(is_told(&mut first));
    assert!(!is_told(&mut second), "position 2 was never written");
    let write = ledger.committable().unwrap();
    assert_eq!(word(&write), 2);
    write.stored();
    assert!(is_told(&mut second));
}

#[test]
fn who_waits_for_a_write_that_failed_hears_of_the_next() {
    let ledger = Ledger::default();
    let mut first = ask(&ledger, 1);
    let write = ledger.committable().unwrap();
    let mut second = ask(&ledger, 2);
    ledger.put_back(write);
    assert!(!is_told(&mut first) && !is_told(&mut second));
    assert!(ledger.is_awaited());
    let write = ledger.committable().unwrap();
    assert_eq!(word(&write), 2);
    write.stored();
    assert!(is_told(&mut first) && is_told(&mut second));
}

#[test]
fn who_waits_for_records_under_way_makes_no_hurry() {
    let ledger = Ledger::default();
    let seq = take(&ledger);
    let _told = ask(&ledger, 1);
    assert!(!ledger.is_awaited());
    ledger.done(seq);
    assert!(ledger.is_awaited());
}

#[test]
fn marks_do_not_grow_while_nothing_can_be_stored() {
    let ledger = Ledger::default();
    mark(&ledger, 0);
    let write = ledger.committable().unwrap();
    for n in 1..10_000 {
        let seq = take(&ledger);
        mark(&ledger, n);
        ledger.done(seq);
    }
    assert!(ledger.lanes[0].marks() <= 2, "{} marks are kept", ledger.lanes[0].marks());
    ledger.put_back(write);
    assert_eq!(committed(&ledger), Some(9_999));
}

#[test]
fn the_ring_is_bounded() {
    let ledger = Ledger::default();
    for _ in 0..CAPACITY {
        take(&ledger);
    }
    assert_eq!(ledger.take(STREAM), None);
    ledger.done(1);
    assert_eq!(ledger.take(STREAM), None);
    ledger.done(0);
    let next = (ledger.take(STREAM), ledger.take(STREAM), ledger.take(STREAM));
    assert_eq!(next, (Some(CAPACITY), Some(CAPACITY + 1), None));
}

#[test]
fn lanes_advance_by_themselves_and_an_offset_has_them_all() {
    let ledger = Ledger::with_lanes(2);
    let chunk = LaneId(1);
    let (of_stream, of_chunk) = (take(&ledger), ledger.take(chunk).unwrap());
    assert_ne!(of_stream, of_chunk);
    mark(&ledger, 1);
    ledger.mark(chunk, at(70), None);
    ledger.done(of_chunk);
    assert!(ledger.committable().is_some_and(|c| c.positions().eq([&at(70)])));
    ledger.done(of_stream);
    assert!(
        ledger.committable().is_some_and(|c| c.positions().eq([&at(1), &at(70)])),
        "what the chunk has reached stays"
    );
    assert!(ledger.committable().is_none());
}

/// What can happen to a ledger.
#[derive(Clone, Debug)]
enum Act {
    Take,
    /// One of the records under way is done.
    Done(prop::sample::Index),
    Mark,
    Ask,
    Commit,
    Stored,
    Failed,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Take),
        6 => any::<prop::sample::Index>().prop_map(Act::Done),
        3 => Just(Act::Mark),
        2 => Just(Act::Ask),
        3 => Just(Act::Commit),
        2 => Just(Act::Stored),
        1 => Just(Act::Failed),
    ];
    prop::collection::vec(act, 1..400)
}

proptest! {
    /// Whatever happens in whatever order: a position is given only when all taken before it is done, the last such is
    /// given, none goes backward, who waits hears exactly when a write that covers the position is acknowledged, and marks
    /// are bounded by the records under way.
    #[test]
    fn laws(acts in acts()) {
        let ledger = Ledger::default();
        let (mut under_way, mut taken, mut done) = (Vec::new(), 0_u64, std::collections::BTreeSet::new());
        // Each position with how many numbers had been taken when it was marked; a position is its place here.
        let (mut marked, mut waiting) = (Vec::new(), Vec::new());
        let (mut write, mut stored) = (None, None);
        for act in acts {
            match act {
                Act::Take => {
                    under_way.push(ledger.take(STREAM).unwrap());
                    taken += 1;
                }
                Act::Done(place) if !under_way.is_empty() => {
                    let seq = under_way.swap_remove(place.index(under_way.len()));
                    ledger.done(seq);
                    done.insert(seq);
                }
                Act::Mark | Act::Ask => {
                    let position = marked.len();
                    marked.push(taken);
                    if matches!(act, Act::Ask) {
                        waiting.push((position, ask(&ledger, position as i64)));
                    } else {
                        mark(&ledger, position as i64);
                    }
                    prop_assert!(ledger.lanes[0].marks() as u64 <= ledger.under_way() + 1);
                }
                Act::Commit if write.is_none() => {
                    let prefix = (0..taken).take_while(|seq| done.contains(seq)).count() as u64;
                    let best = marked.iter().rposition(|upto| *upto <= prefix);
                    let got = ledger.committable();
                    prop_assert_eq!(got.as_ref().map(|c| word(c) as usize), best.filter(|_| best != stored));
                    write = got;
                }
                Act::Stored | Act::Failed => {
                    let Some(committable) = write.take() else { continue };
                    let position = word(&committable) as usize;
                    if matches!(act, Act::Failed) {
                        ledger.put_back(committable);
                        continue;
                    }
                    prop_assert!(stored.is_none_or(|stored| stored < position), "backward");
                    committable.stored();
                    stored = Some(position);
                    for (at, told) in &mut waiting {
                        prop_assert_eq!(is_told(told), *at <= position, "who waits for {}, stored {}", at, position);
                    }
                    waiting.retain(|(at, _)| *at > position);
                }
                _ => {}
            }
            for (_, told) in &mut waiting {
                prop_assert!(!is_told(told));
            }
            ledger.advance();
            let prefix = (0..taken).take_while(|seq| done.contains(seq)).count() as u64;
            prop_assert_eq!(ledger.under_way(), taken - prefix);
            prop_assert!((0..taken).all(|seq| ledger.covers(seq) == (seq < prefix)));
        }
    }
}
