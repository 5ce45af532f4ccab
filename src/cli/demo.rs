//! `hydrant demo`: a gateway with made-up tweets, four entities and their keys, and lines to try
//! it with. What is made up is in `demo_data.rs`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::demo_data::{self, DATASET, Requester, SignInLink};
use super::serve::Gateway;
use super::{Common, Done, show, start_log};
use crate::config::Settings;
use crate::operation::{Context, actor_of};
use crate::store::{DataFolder, Store};

/// Serve made-up data, to try everything
///
/// Makes a data folder with 100,000 made-up tweets and four entities, issues keys for them,
/// serves, and prints lines to paste into another terminal. Another start finds the folder again.
/// The folder is `hydrant-demo`, unless `--data` names another.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 lets the system choose one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Remove what an earlier demo left in the folder, and begin anew
    #[arg(long)]
    fresh: bool,
}

/// Where a demo keeps its data, unless `--data` names another folder.
const FOLDER: &str = "hydrant-demo";

/// The files by which a demo knows its own folder, below `DATA/demo`.
const BEGUN: &str = "made-by-hydrant-demo";
const READY: &str = "ready";

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let mut settings = common.settings(arguments.listen)?;
    if common.data.is_none() {
        // Never the folder of a real gateway, wherever the settings say that it lies.
        settings.data_folder = FOLDER.into();
    }
    start_log(&settings);
    let demo = settings.data_folder.join("demo");
    claim(&settings, arguments.fresh)?;
    if !demo.join(READY).is_file() {
        refuse_occupied(&settings)?;
    }
    let clock = common.clock();
    let gateway = Gateway::prepare(&settings, clock.clone())?;
    let context = Context {
        store: gateway.store().clone(),
        clock,
        profile: settings.profile.clone(),
        notary: gateway.notary().clone(),
    };
    let actor = actor_of(nix::unistd::Uid::effective().as_raw());
    let desk = demo_data::Desk { context, actor };
    if !demo.join(READY).is_file() {
        desk.enter_everything(&demo, &gateway.releases(), gateway.ledger())?;
        fs::write(demo.join(READY), "")?;
    }
    let requesters = desk.issue_keys()?;
    let links = desk.invite()?;
    gateway.serve(|address| tell(common, address, &requesters, &links))
}

/// Makes sure that the folder is a demo's, or makes it one; an unfinished one begins anew.
fn claim(settings: &Settings, fresh: bool) -> anyhow::Result<()> {
    if fresh && settings.store.is_some() {
        bail!(
            "the demo empties its folder, never a store elsewhere: leave out --fresh or store.url"
        );
    }
    let folder = settings.data_folder.as_path();
    let demo = folder.join("demo");
    let occupied = folder.is_dir() && fs::read_dir(folder)?.next().is_some();
    if occupied && !demo.join(BEGUN).is_file() {
        bail!(
            "{} holds something that no demo made, so it stays as it is: choose another folder \
             with --data",
            folder.display()
        );
    }
    if occupied && (fresh || !demo.join(READY).is_file()) {
        let lock = DataFolder::existing(folder)?.lock("a hydrant demo that begins anew")?;
        empty(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        drop(lock);
    }
    DataFolder::create(folder)?;
    fs::create_dir_all(&demo)?;
    fs::write(demo.join(BEGUN), "`hydrant demo --fresh` removes what is in the folder above.\n")
        .with_context(|| format!("cannot write to {}", demo.display()))
}

/// Makes sure that a store outside of the folder, which may be somebody's whatever the folder says,
/// is empty; before the gateway enters its start there, or gives the audit log a key.
fn refuse_occupied(settings: &Settings) -> anyhow::Result<()> {
    let Some(place) = &settings.store else { return Ok(()) };
    let store = Store::at(place).with_context(|| format!("cannot use the store {place}"))?;
    if !store.read(|tx| tx.journal_from(1, 1))?.is_empty() {
        bail!(
            "the store {place} holds something already, and a demo begins with an empty one: make \
             an empty database for it, or leave out store.url"
        );
    }
    Ok(())
}

/// Removes what is in the folder; last of all what makes it a demo's, so that another try can go
/// on where this one ended.
fn empty(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if ["lock", "demo"].iter().any(|kept| entry.file_name() == *kept) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir_all(folder.join("demo"))
}

fn tell(
    common: &Common,
    address: SocketAddr,
    requesters: &[Requester; 3],
    links: &[SignInLink; 2],
) {
    let text = if common.json {
        let requesters = requesters.iter().map(|requester| {
            json!({
                "entity": requester.entity,
                "mail": requester.mail,
                "token": requester.token,
            })
        });
        let requesters: Vec<_> = requesters.collect();
        let links = links.iter().map(
            |link| json!({ "mail": link.mail, "link": format!("http://{address}{}", link.path) }),
        );
        json!({
            "url": format!("http://{address}"),
            "dataset": DATASET,
            "requesters": requesters,
            "sign_in": links.collect::<Vec<_>>(),
        })
        .to_string()
    } else {
        lines(address, requesters, links)
    };
    // Whoever closed stdout may still want the gateway.
    let _ = show::print(&text);
}

/// What people read; every line that begins with `curl` or `hydrant` can be pasted.
fn lines(
    address: SocketAddr,
    [commercial, academic, brimful]: &[Requester; 3],
    [operator, researcher]: &[SignInLink; 2],
) -> String {
    let link = |link: &SignInLink| format!("{}\nhttp://{address}{}", link.says, link.path);
    let (operator, researcher) = (link(operator), link(researcher));
    let url = format!("http://{address}/v1");
    let ids = format!("{url}/datasets/{DATASET}/tweet-ids");
    let key = |requester: &Requester| format!("-H 'Authorization: Bearer {}'", requester.token);
    let (commercial_key, academic_key, brimful_key) =
        (key(commercial), key(academic), key(brimful));
    format!(
        "\
hydrant demo: http://{address} serves the IDs of 100,000 made-up tweets.
Paste these lines into another terminal. Control-C ends the demo; the next start finds its data
again and issues new keys.

Or open a browser; each link is good for one time and 15 minutes:
{operator}
{researcher}

# {commercial}: what there is, then all IDs
curl -sS {commercial_key} {url}/datasets
curl -sS --fail-with-body {commercial_key} -o tweet-ids.txt {ids}
wc -l tweet-ids.txt

# a download that is cut, then continued; both files are the same
curl -s {commercial_key} {ids} | head -c 700000 > cut.txt
curl -sS {commercial_key} -C - -o cut.txt {ids}
cmp tweet-ids.txt cut.txt && echo the same

# what its entity has used, and when how much returns
curl -sS {commercial_key} {url}/usage

# {academic}: counted as well, and may be more than the ceiling
curl -sS {academic_key} -o exempt.txt {ids}
curl -sS {academic_key} {url}/usage

# {brimful}: 100,000 do not fit any more (429), 1,000 do
curl -sS -i {brimful_key} {ids}
curl -sS {brimful_key} '{ids}?limit=1000' | tail -3
"
    )
}
