//! What is signed, kept and handed out, byte by byte: other programs read it.

use super::{head, key, log, made_up, verifier};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::receipt::{Proof, parse, text};
use crate::audit::tree::{Head, leaf_hash};
use crate::audit::{ActorName, AttemptName, Charge, Content, Entry, Leaf, RecipientName};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::KeyId;

#[test]
fn a_checkpoint_has_the_form_of_its_specification() {
    let checkpoint = Checkpoint::sign(&key(), Head { size: 20_852_163, root: [7; 32] });
    insta::assert_snapshot!(checkpoint.note, @"
    example.org/log
    20852163
    BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=

    — example.org/log kPLAtJ8UbDQ19RnJak2LEx8xaWuPMRT6v+VFBzaD3HO52VivVJqfrtwmhF74GS30YLrX0joJtlmm09HC0RIvoRwJjgw=
    ");
    assert_eq!(Checkpoint::open(checkpoint.note.as_bytes(), &verifier()), Ok(checkpoint));
}

#[test]
fn a_small_log_has_these_files() {
    let files = log(&made_up(3), &[2, 3]);
    let shown = files.iter().map(|(name, bytes)| match std::str::from_utf8(bytes) {
        Ok(text) if !name.starts_with("tile/") => format!("{name}\n{text}"),
        _ => format!("{name}\n{}\n", hex::encode(bytes)),
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_receipt_has_the_form_of_its_specification() {
    let entries = made_up(3);
    let proof = Proof {
        index: 2,
        entry: entries[2].clone(),
        hashes: vec![head(&entries, 2).root],
        checkpoint: Checkpoint::sign(&key(), head(&entries, 3)).note,
    };
    assert_eq!(proof.hashes.len(), 1);
    assert_ne!(proof.hashes[0], leaf_hash(&entries[1]));
    let receipt = text(&[proof.clone(), proof.clone()]);
    assert_eq!(parse(&receipt), Ok(vec![proof.clone(), proof.clone()]));
    insta::assert_snapshot!(text(&[proof]));
}

#[test]
fn an_entry_begins_with_its_time_and_reads_back_as_it_was_written() {
    let delivery = DeliveryId::from_bytes([1; 16]);
    let (person, entity) = (Commitment([0xaa; 32]), Commitment([0xbb; 32]));
    let leaves = [
        Leaf::Opened {
            delivery,
            attempt: 3,
            person: Some(person),
            key: Some(KeyId(7)),
            kind: IdKind::Tweet,
            dataset: Some(1),
            content: Content::Release("c".repeat(64)),
            first: 4_096,
            ids: 1_000,
            view: None,
            charges: vec![Charge {
                recipient: RecipientName::Entity(entity),
                basis: "exemption:7".into(),
                use_case: None,
                fresh_ids: None,
                live_ids: 5_096,
            }],
            profile: "twitter-2020-03".into(),
        },
        Leaf::Settled { attempts: vec![AttemptName(delivery, 3)] },
        Leaf::Released { attempt: AttemptName(delivery, 3) },
        Leaf::EntityAdded { entity, actor: ActorName::Local("ada".into()) },
        Leaf::PersonSuspended { person, actor: ActorName::Person(person) },
        // Of a body that was stripped for a request: no dataset, no release.
        Leaf::Opened {
            delivery,
            attempt: 0,
            person: Some(person),
            key: None,
            kind: IdKind::User,
            dataset: None,
            content: Content::Sha256("d".repeat(64)),
            first: 0,
            ids: 3,
            view: None,
            charges: Vec::new(),
            profile: "twitter-2020-03".into(),
        },
        Leaf::DatasetStreamed {
            dataset: 2,
            upstream: "archive".into(),
            actor: ActorName::Local("ada".into()),
        },
    ];
    let mut written = String::new();
    for leaf in leaves {
        let text = Entry { at_ms: 1_700_000_000_000, leaf: &leaf }.text();
        assert!(text.starts_with(r#"{"at_ms":1700000000000,"leaf":""#), "{text}");
        assert_eq!(Entry::parse(text.as_bytes()).map(|entry| entry.leaf), Some(leaf));
        written += &format!("{text}\n");
    }
    insta::assert_snapshot!(written);
}
