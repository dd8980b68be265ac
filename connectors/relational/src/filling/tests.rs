use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::{Budget, Meters, Outlet};

/// A frame of the tests' own: one byte, the length of the payload in four bytes, and the payload.
fn frame(payload_bytes: usize) -> Vec<u8> {
    let mut frame = vec![b'd'];
    frame.extend_from_slice(&(payload_bytes as u32).to_be_bytes());
    frame.resize(payload_bytes + 5, 0);
    frame
}

async fn lease(bytes: usize) -> Lease {
    let (budget, meters) = (Budget::new(1 << 20, 1 << 20), Arc::new(Meters::new("c".into())));
    let (outlet, _ends) = Outlet::new(Arc::from("c"), None, watch::channel(false).1, &budget, 1, meters);
    outlet.lease(bytes).await
}

/// Decodes all complete frames, each into a position. Returns how many bytes the next frame needs.
fn decode(filling: &mut Filling) -> usize {
    loop {
        let unread = filling.unread();
        let Some(length) = unread.get(1..5).and_then(|length| length.try_into().ok()) else { return 5 };
        let whole = u32::from_be_bytes(length) as usize + 5;
        if unread.len() < whole {
            return whole;
        }
        filling.batch.items.push(Item::Position(Position::UNKNOWN));
        filling.decoded(filling.used_bytes() + whole);
    }
}

#[tokio::test]
async fn a_frame_larger_than_the_buffer_waits_for_a_lease_before_the_buffer_grows() {
    let mut filling = Filling::default();
    filling.buffer.extend_from_slice(&frame(100));
    let large = frame(2 * BUFFER_BYTES);
    filling.buffer.extend_from_slice(&large[..1000]);
    let need = decode(&mut filling);
    assert_eq!((need, filling.room_for(need)), (large.len(), Room::AfterBatch));
    assert!(filling.lease().is_none(), "the small batch is not what the buffer grows for");
    assert_eq!(filling.take().unwrap().buffer.len(), 105);
    assert_eq!(filling.room_for(need), Room::Leased);
    assert!(filling.buffer.capacity() <= BUFFER_BYTES, "it has grown before the lease");
    filling.grow(need, lease(need).await);
    assert_eq!(filling.room_for(need), Room::There);
    // A heartbeat may be sent while the frame is being read: the lease is kept for the frame.
    filling.batch.items.push(Item::Position(Position::UNKNOWN));
    assert!(filling.lease().is_none());
    assert_eq!(filling.take().unwrap().buffer.len(), 0);
    filling.buffer.extend_from_slice(&large[1000..]);
    decode(&mut filling);
    assert!(filling.is_full());
    assert!(filling.lease().is_some());
    assert_eq!(filling.take().unwrap().buffer.len(), large.len());
    assert!(filling.buffer.capacity() <= BUFFER_BYTES + SMALL_BYTES, "the memory of the large frame stays");
}

#[tokio::test]
async fn a_large_frame_that_nobody_wants_leaves_no_memory_behind() {
    let mut filling = Filling::default();
    let large = frame(2 * BUFFER_BYTES);
    filling.grow(large.len(), lease(large.len()).await);
    filling.buffer.extend_from_slice(&large);
    decode(&mut filling);
    filling.batch.items.clear();
    assert!(filling.take().is_none());
    assert!(filling.grown.is_none());
    assert!(filling.buffer.capacity() <= BUFFER_BYTES + SMALL_BYTES);
}

#[test]
fn frames_that_fit_need_no_lease() {
    let mut filling = Filling::default();
    for _ in 0..8 {
        filling.buffer.extend_from_slice(&frame(30_000));
    }
    filling.buffer.extend_from_slice(&frame(60_000)[..10]);
    let need = decode(&mut filling);
    assert_eq!(filling.room_for(need), Room::There);
    assert!(filling.buffer.capacity() <= BUFFER_BYTES);
}

#[tokio::test]
async fn parts_of_a_batch_have_its_bytes_and_those_that_were_added_for_them() {
    let mut filling = Filling::default();
    let bytes: Vec<u8> = (0..3).flat_map(|_| frame(100)).collect();
    filling.buffer.extend_from_slice(&bytes);
    filling.buffer.extend_from_slice(&frame(100)[..10]);
    decode(&mut filling);
    filling.batch.transactions = 3;
    let part = |part: Option<Box<Batch>>| part.map(|part| (part.items.len(), part.transactions, part.buffer.to_vec()));
    assert_eq!(part(filling.take_first(2, b"more")), Some((2, 0, [&bytes[..], b"more"].concat())));
    assert_eq!(part(filling.take_first(1, b"and more")), Some((1, 3, [&bytes[..], b"and more"].concat())));
    assert!(filling.is_empty() && filling.used_bytes() == 0);
    assert_eq!(filling.buffer[..], frame(100)[..10]);
    // Without any addition the buffer itself is taken.
    filling.buffer.extend_from_slice(&frame(100)[10..]);
    decode(&mut filling);
    assert_eq!(part(filling.take_first(1, b"")), Some((1, 0, frame(100))));
    // A frame larger than the buffer leaves no memory behind.
    let large = frame(2 * BUFFER_BYTES);
    filling.grow(large.len(), lease(large.len()).await);
    filling.buffer.extend_from_slice(&large);
    decode(&mut filling);
    assert_eq!(filling.take_first(1, b"x").map(|part| part.buffer.len()), Some(large.len() + 1));
    assert!(filling.buffer.capacity() <= BUFFER_BYTES + SMALL_BYTES);
}
