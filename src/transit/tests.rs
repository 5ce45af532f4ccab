//! Sources that are stripped on their way through: what comes out, in which parcels, and when not.

use std::io;

use bytes::Bytes;

use super::*;

fn wish(kind: IdKind) -> Wish {
    Wish {
        without: Without { version: 0, removed: None },
        kind,
        scope: Scope::Own,
        distinct: Distinct::KeepAll,
        damage: Damage::Report,
        spool_folder: std::env::temp_dir(),
    }
}

fn list(ids: std::ops::Range<u64>) -> Bytes {
    ids.map(|id| format!("{id}\n")).collect::<String>().into()
}

async fn sizes(parcels: &mut Parcels, ids_max: u64) -> (Vec<u64>, Result<(), StripError>) {
    let mut sizes = Vec::new();
    loop {
        match parcels.next(ids_max).await {
            Ok(Some(sealed)) => sizes.push(sealed.ids()),
            Ok(None) => return (sizes, Ok(())),
            Err(error) => return (sizes, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_body_is_counted_and_its_deletes_count_wherever_they_stand() {
    let delete = "{\"delete\":{\"status\":{\"id\":20,\"id_str\":\"20\",\"user_id\":1}}}\n";
    let tweet = |id: u64| {
        format!("{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"a\",\"user\":{{\"id\":7}}}}\n")
    };
    for (distinct, expected) in [(Distinct::KeepAll, 3), (Distinct::KeepFirst, 2)] {
        let (pipe, stripping) = strip_body(Wish { distinct, ..wish(IdKind::Tweet) }, ());
        for text in [tweet(20), tweet(21), tweet(22), tweet(21), delete.to_owned()] {
            pipe.send(text.into()).await.unwrap();
        }
        pipe.end().await;
        let body = stripping.await.unwrap().unwrap();
        assert_eq!((body.ids(), body.text_bytes()), (expected, 3 * expected));
        assert_eq!((body.report().records, body.report().damaged), (5, 0));
        let (sizes, ended) = sizes(&mut Parcels::of_body(body), 2).await;
        assert!(ended.is_ok());
        assert_eq!(sizes, if expected == 3 { vec![2, 1] } else { vec![2] });
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_gives_nothing() {
    let (pipe, stripping) = strip_body(wish(IdKind::Tweet), ());
    pipe.send(list(20..1_000)).await.unwrap();
    drop(pipe);
    assert!(matches!(stripping.await.unwrap(), Err(StripError::Source(_))));
}

#[tokio::test]
async fn a_stream_hands_over_its_last_parcel_only_when_it_has_ended_well() {
    for (skipped, ends_well, expected) in [
        (0, true, vec![100, 100, 50]),
        (0, false, vec![]),
        (120, true, vec![100, 30]),
        (249, true, vec![1]),
        (250, true, vec![]),
        (1_000, true, vec![]),
    ] {
        let (mut feed, mut parcels) = stream("far", wish(IdKind::Tweet), skipped, 100, ());
        let fed = async {
            feed.send(list(20..270)).await.unwrap();
            match ends_well {
                true => feed.end().await,
                false => feed.fail(io::Error::other("the digest is another")).await,
            }
        };
        let ((), (sizes, ended)) = tokio::join!(fed, sizes(&mut parcels, 100));
        assert_eq!(ended.is_ok(), ends_well, "{skipped}");
        // What had been found before the failure may be out, but for the last whole parcel.
        assert!(sizes == expected || !ends_well && sizes == [100], "{skipped}: {sizes:?}");
        assert_eq!(parcels.take_report().is_some(), ends_well);
    }
}

#[tokio::test]
async fn a_stream_whose_packing_is_cut_has_not_ended_well() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&list(20..100_000)).unwrap();
    let mut packed = packed.finish().unwrap();
    packed.truncate(packed.len() - 10);
    let (mut feed, mut parcels) = stream("far", wish(IdKind::Tweet), 0, 4_096, ());
    let fed = async {
        feed.send(packed.into()).await.unwrap();
        feed.end().await;
    };
    let ((), (_, ended)) = tokio::join!(fed, sizes(&mut parcels, 4_096));
    assert!(matches!(ended, Err(StripError::Container)), "{ended:?}");
}

#[tokio::test]
async fn a_feed_learns_that_nobody_takes_parcels_and_the_place_is_free() {
    let (place, mut free) = tokio::sync::oneshot::channel::<()>();
    let (mut feed, parcels) = stream("far", wish(IdKind::Tweet), 0, 10, place);
    drop(parcels);
    feed.gone().await;
    assert_eq!(feed.send(list(20..30)).await, Err(Gone));
    drop(feed);
    assert!((&mut free).await.is_err());
}
