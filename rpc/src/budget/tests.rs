//! Who gets room, and who gives way.

use super::*;

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(10);
const MIB: usize = 1 << 20;

fn budget(all: usize, one: usize) -> Budget {
    Budget::new(all, one, RpcMetrics::default())
}

#[tokio::test]
async fn one_connection_takes_no_more_than_its_share_and_gives_it_back() {
    let budget = budget(4 * MIB, 100_000);
    let share = budget.share();
    let mut room = share.wait(60_000, SOON).await.unwrap();
    assert_eq!(share.grow(&mut room, 50_000), Err(NoRoom::Connection));
    assert_eq!(share.grow(&mut room, 40_000), Ok(()));
    assert_eq!((room.bytes(), budget.held()), (100_000, 100_000));
    assert_eq!(share.wait(1, SOON).await.unwrap_err(), NoRoom::Connection);
    room.shrink_to(10);
    assert_eq!((room.bytes(), budget.held()), (10, 10));
    assert!(share.wait(90_000, SOON).await.is_ok());
    drop(room);
    assert_eq!(budget.held(), 0);
}

#[tokio::test]
async fn room_is_split_without_more_or_less_of_it() {
    let budget = budget(4 * MIB, MIB);
    let share = budget.share();
    // Of two parts: a small one and a large one.
    let mut room = share.wait(100_000, SOON).await.unwrap();
    room.add(share.wait(SMALL + 1, SOON).await.unwrap());
    let (all, first) = (room.bytes(), room.split(150_000));
    assert_eq!((first.bytes(), room.bytes(), budget.held()), (150_000, all - 150_000, all));
    let backed = |share: &Share| {
        [Part::Small, Part::Large, Part::First]
            .map(|part| share.holder.backed(part))
            .iter()
            .sum::<usize>()
    };
    assert_eq!(all, backed(&share));
    drop(first);
    assert_eq!((budget.held(), backed(&share)), (all - 150_000, all - 150_000));
    let rest = room.split(usize::MAX);
    assert_eq!((rest.bytes(), room.bytes()), (all - 150_000, 0));
    drop((rest, room));
    assert_eq!((budget.held(), backed(&share)), (0, 0));
}

#[tokio::test]
async fn small_answers_do_not_wait_for_large_ones() {
    let budget = budget(4 * MIB, 4 * MIB);
    let greedy = budget.share();
    let _all_large = greedy.wait(3 * MIB, SOON).await.unwrap();
    let modest = budget.share();
    assert_eq!(modest.wait(MIB, SOON).await.unwrap_err(), NoRoom::Node);
    assert!(modest.wait(SMALL, SOON).await.is_ok());
}

#[tokio::test]
async fn who_does_not_read_gives_way_and_nobody_else() {
    let budget = budget(4 * MIB, 2 * MIB);
    let (silent, reads, asks) = (budget.share(), budget.share(), budget.share());
    let held = silent.wait(MIB, SOON).await.unwrap();
    let _unread = silent.waits_for_reader();
    let _more = reads.wait(2 * MIB, SOON).await.unwrap();
    std::thread::sleep(STALLED + SOON);
    let waits = asks.wait(MIB, LONG);
    let closes = async {
        silent.closing().cancelled().await;
        drop(held);
    };
    let (room, ()) = tokio::join!(waits, closes);
    assert!(room.is_ok());
    assert!(!reads.closing().is_cancelled());
}

#[tokio::test]
async fn whoever_holds_most_gives_way_when_all_read() {
    let budget = budget(4 * MIB, 2 * MIB);
    let (most, less, asks) = (budget.share(), budget.share(), budget.share());
    let held = most.wait(2 * MIB, SOON).await.unwrap();
    let _less = less.wait(MIB, SOON).await.unwrap();
    let closes = async {
        most.closing().cancelled().await;
        drop(held);
    };
    let (room, ()) = tokio::join!(asks.wait(MIB, LONG), closes);
    assert!(room.is_ok());
    assert!(!less.closing().is_cancelled() && !asks.closing().is_cancelled());
}

#[tokio::test]
async fn an_answer_that_lies_unread_too_long_closes_its_connection() {
    let budget = budget(4 * MIB, MIB);
    let (slow, quick) = (budget.share(), budget.share());
    let _unread = slow.waits_for_reader();
    drop(quick.waits_for_reader());
    std::thread::sleep(Duration::from_millis(60));
    budget.close_slow(Duration::from_secs(5));
    assert!(!slow.closing().is_cancelled());
    budget.close_slow(SOON);
    assert!(slow.closing().is_cancelled() && !quick.closing().is_cancelled());
}

/// Connections that hold little each, for which the node waits.
async fn stalled(budget: &Budget, count: usize, bytes: usize) -> Vec<(Share, Room, Waits)> {
    let mut all = Vec::new();
    for _ in 0..count {
        let share = budget.share();
        let room = share.wait(bytes, SOON).await.unwrap();
        let waits = share.waits_for_rest();
        all.push((share, room, waits));
    }
    all
}

#[tokio::test]
async fn one_that_stalls_gives_way_however_little_it_holds() {
    // The small part is 512 KiB: full of little pieces.
    let budget = budget(4 * MIB, MIB);
    let mut all = stalled(&budget, 6, 80 << 10).await;
    std::thread::sleep(STALLED + SOON);
    let asks = budget.share();
    let closes = async {
        let closed = loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let closed = all.iter().position(|(share, ..)| share.closing().is_cancelled());
            if let Some(closed) = closed {
                break closed;
            }
        };
        drop(all.remove(closed));
    };
    let (room, ()) = tokio::join!(asks.wait(80 << 10, STALLED / 2), closes);
    assert!(room.is_ok());
    let closed = all.iter().filter(|(share, ..)| share.closing().is_cancelled()).count();
    assert_eq!(closed, 0, "one was enough");
}

#[tokio::test]
async fn what_is_waited_for_and_the_other_part_count_for_nobody() {
    let budget = budget(4 * MIB, 3 * MIB);
    let (large, waits, small, asks) =
        (budget.share(), budget.share(), budget.share(), budget.share());
    let _large = large.wait(3 * MIB, SOON).await.unwrap();
    let mut held = Some(small.wait(128 << 10, SOON).await.unwrap());
    while let Ok(more) = small.wait(128 << 10, SOON).await {
        held.as_mut().unwrap().add(more);
    }
    // The one holds most of all, but nothing of the small part; the next holds
    // nothing, however much it waits for.
    let waiting = waits.wait(2 * MIB, SOON * 50);
    let closes = async {
        small.closing().cancelled().await;
        held.take();
    };
    let asking = asks.wait(128 << 10, LONG);
    let (room, (), waited) = tokio::join!(asking, closes, waiting);
    assert!(room.is_ok());
    assert_eq!(waited.unwrap_err(), NoRoom::Node);
    assert!(!large.closing().is_cancelled() && !waits.closing().is_cancelled());
}

#[tokio::test]
async fn among_equal_holders_nobody_is_closed_for_the_other() {
    let budget = budget(4 * MIB, 3 * MIB);
    let (first, second) = (budget.share(), budget.share());
    let _one = first.wait(3 * MIB / 2, SOON).await.unwrap();
    let _other = second.wait(3 * MIB / 2, SOON).await.unwrap();
    let more = second.wait(MIB, STALLED + SOON * 5).await;
    assert_eq!(more.unwrap_err(), NoRoom::Node);
    assert!(!first.closing().is_cancelled());
}

#[tokio::test]
async fn what_was_announced_closes_nobody_who_sends_and_reads() {
    let budget = budget(4 * MIB, 3 * MIB);
    let (reads, announces) = (budget.share(), budget.share());
    let _all = reads.wait(3 * MIB, SOON).await.unwrap();
    let room = announces.wait_for_message(0, MIB, STALLED + SOON * 10).await;
    assert_eq!(room.unwrap_err(), NoRoom::Node);
    assert!(!reads.closing().is_cancelled());
}

#[tokio::test]
async fn what_was_announced_waits_behind_answers() {
    let budget = budget(4 * MIB, 3 * MIB);
    let (full, announces, asks) = (budget.share(), budget.share(), budget.share());
    let held = full.wait(3 * MIB, SOON).await.unwrap();
    let mut announced = std::pin::pin!(announces.wait_for_message(0, 3 * MIB, LONG));
    assert!(tokio::time::timeout(SOON, &mut announced).await.is_err());
    let mut answer = std::pin::pin!(asks.wait(3 * MIB, LONG));
    assert!(tokio::time::timeout(SOON, &mut answer).await.is_err());
    drop(held);
    let answer = tokio::time::timeout(SOON * 10, answer).await.unwrap().unwrap();
    assert!(tokio::time::timeout(LOOK * 3, &mut announced).await.is_err());
    drop(answer);
    assert!(announced.await.is_ok());
}

#[tokio::test]
async fn subscriptions_leave_small_answers_their_part() {
    let budget = budget(4 * MIB, 3 * MIB);
    let subscriber = budget.share();
    let mut kept = Vec::new();
    while let Ok(room) = subscriber.keep(4 << 10) {
        kept.push(room);
    }
    assert_eq!(kept.len() * (4 << 10), 3 * MIB);
    assert!(budget.share().wait(MIB / 4, SOON).await.is_ok());
}

#[tokio::test]
async fn first_bytes_find_room_however_many_leave_their_answers_unread() {
    let budget = budget(16 * MIB, 8 * MIB);
    // 32 that read nothing fill the part of small answers.
    let mut unread = Vec::new();
    for _ in 0..32 {
        let share = budget.share();
        while let Ok(room) = share.wait(256 << 10, Duration::from_millis(1)).await {
            unread.push((share.clone(), room));
        }
    }
    let asks = budget.share();
    let first = asks.wait(38 << 10, SOON).await.expect("its first bytes");
    // No connection has more of that part than its own.
    assert_eq!(asks.wait(38 << 10, SOON).await.unwrap_err(), NoRoom::Node);
    drop(first);
    assert!(asks.wait(38 << 10, SOON).await.is_ok());
}

#[tokio::test]
async fn who_stalls_gives_way_with_its_first_bytes_too() {
    // The part for first bytes is 512 KiB: eight connections fill it.
    let budget = budget(4 * MIB, MIB);
    let all = stalled(&budget, 8, FIRST).await;
    std::thread::sleep(STALLED + SOON);
    let asks = budget.share();
    let elsewhere = asks.wait(FIRST, SOON).await.expect("the part of small answers");
    assert_eq!(asks.holder.backed(Part::First), 0);
    let closed = |(share, ..): &&(Share, Room, Waits)| share.closing().is_cancelled();
    assert_eq!(all.iter().filter(closed).count(), 1);
    drop((elsewhere, all));
    let _first = asks.wait(FIRST, SOON).await.unwrap();
    assert_eq!(asks.holder.backed(Part::First), FIRST);
}

#[tokio::test]
async fn a_room_that_grew_often_is_one_permit() {
    let budget = budget(4 * MIB, MIB);
    let share = budget.share();
    let mut room = share.wait(4 << 10, SOON).await.unwrap();
    for _ in 0..1_000 {
        share.grow(&mut room, 1).unwrap();
    }
    // One of the first bytes, one of the small part.
    assert_eq!((room.permits.len(), room.bytes()), (2, (4 << 10) + 1_000));
    room.shrink_to(100);
    assert_eq!((room.bytes(), budget.held()), (100, 100));
    drop(room);
    assert_eq!(budget.held(), 0);
    assert!(share.wait(MIB, SOON).await.is_ok());
}

#[tokio::test]
async fn a_short_message_waits_like_an_answer() {
    let budget = budget(4 * MIB, 3 * MIB);
    let (most, sends) = (budget.share(), budget.share());
    let first = sends.wait(FIRST, SOON).await.unwrap();
    let mut held = Some(most.wait(256 << 10, SOON).await.unwrap());
    while let Ok(more) = most.wait(64 << 10, SOON).await {
        held.as_mut().unwrap().add(more);
    }
    let closes = async {
        most.closing().cancelled().await;
        held.take();
    };
    let (room, ()) = tokio::join!(sends.wait_for_message(4 << 10, 32 << 10, LONG), closes);
    assert!(room.is_ok());
    drop(first);
}

#[tokio::test]
async fn a_long_message_in_small_pieces_leaves_small_answers_their_part() {
    let budget = budget(4 * MIB, 4 * MIB);
    let (full, sends) = (budget.share(), budget.share());
    let _all_large = full.wait(3 * MIB, SOON).await.unwrap();
    // Beyond the length of a small answer its pieces are those of a long message.
    let piece = sends.wait_for_message(SMALL, 4 << 10, SOON).await;
    assert_eq!(piece.unwrap_err(), NoRoom::Node);
    assert!(sends.wait_for_message(FIRST, 4 << 10, SOON).await.is_ok());
}
