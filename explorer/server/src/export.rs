//! Lists written to files: CSV or XLSX, with progress, a bound on rows, on exports under way, and
//! on files that are kept.

mod sheet;

pub(crate) use sheet::yuan;

use crate::{
    App, Refusal,
    given::Given,
    index::{Part, Rows},
    lists::{Listing, Name},
    random, time,
};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::{collections::HashMap, io, path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{JoinHandle, spawn_blocking},
};

/// Rows that are asked at once.
const AT_ONCE: u32 = 1000;
/// Files that are kept, of all and of one user, and for how long in ms.
const KEPT: usize = 64;
const OF_ONE: usize = 4;
const LASTS: u64 = 900_000;

/// An export, as its user sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExportJob {
    /// Names it.
    pub id: String,
    /// `running`, `done` or `failed`.
    pub state: &'static str,
    /// Rows that are written.
    pub rows: u64,
    /// Rows that there are, if that is known.
    pub total: Option<u64>,
    /// Rows that are written at most.
    pub limit: u64,
    /// Why it failed; or that it was cut at the limit.
    pub problem: Option<String>,
    /// Where the file is, when it is done.
    pub url: Option<String>,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, UTF-8 with its mark, which Excel wants for Chinese.
    Csv,
    /// Office Open XML.
    Xlsx,
}

/// An export.
struct Job {
    owner: String,
    name: String,
    format: Format,
    file: PathBuf,
    began: u64,
    shown: Arc<Mutex<ExportJob>>,
    work: JoinHandle<()>,
}

/// The exports.
pub struct Exports {
    jobs: Mutex<HashMap<String, Job>>,
    places: Arc<Semaphore>,
    folder: TempDir,
    limit: u64,
}

/// What is exported.
pub struct Order {
    /// The list.
    pub listing: &'static Listing,
    /// Its filters.
    pub given: Given,
    /// The participant to whose concerns it is confined.
    pub scope: Option<String>,
    /// Name of the user.
    pub owner: String,
    /// What kind of file.
    pub format: Format,
}

/// A file that is ready.
pub struct Ready {
    /// Where it lies.
    pub file: PathBuf,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub kind: &'static str,
}

impl Exports {
    /// So many at once, each of so many rows.
    ///
    /// # Errors
    /// If there is no folder for them.
    pub fn new(at_once: usize, limit: u64) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("billchain-export-").tempdir()?;
        Ok(Self {
            jobs: Mutex::default(),
            places: Arc::new(Semaphore::new(at_once)),
            folder,
            limit,
        })
    }

    /// Begins one.
    ///
    /// # Errors
    /// If as many are under way as may be.
    pub fn begin(&self, app: &Arc<App>, order: Order) -> Result<ExportJob, Refusal> {
        let place =
            self.places.clone().try_acquire_owned().map_err(|_| Refusal::busy("exports"))?;
        let mut jobs = self.jobs.lock();
        make_room(&mut jobs, &order.owner)?;
        let id = random::token();
        let ending = if order.format == Format::Csv { "csv" } else { "xlsx" };
        let shown = ExportJob {
            id: id.clone(),
            state: "running",
            rows: 0,
            total: None,
            limit: self.limit,
            problem: None,
            url: None,
        };
        let shown = Arc::new(Mutex::new(shown));
        let file = self.folder.path().join(format!("{id}.{ending}"));
        let job = Job {
            owner: order.owner.clone(),
            name: format!(
                "billchain-{}-{}.{ending}",
                order.listing.path,
                time::day_at(time::now())
            ),
            format: order.format,
            file: file.clone(),
            began: time::now(),
            shown: shown.clone(),
            work: tokio::spawn(run(app.clone(), order, file, shown.clone(), self.limit, place)),
        };
        jobs.insert(id, job);
        let view = shown.lock().clone();
        Ok(view)
    }

    /// How far a user's export is.
    pub fn shown(&self, id: &str, owner: &str) -> Option<ExportJob> {
        let jobs = self.jobs.lock();
        jobs.get(id).filter(|job| job.owner == owner).map(|job| job.shown.lock().clone())
    }

    /// A user's file, if it is ready.
    pub fn ready(&self, id: &str, owner: &str) -> Option<Ready> {
        let jobs = self.jobs.lock();
        let job =
            jobs.get(id).filter(|job| job.owner == owner && job.shown.lock().state == "done")?;
        let kind = match job.format {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        };
        Some(Ready { file: job.file.clone(), name: job.name.clone(), kind })
    }

    /// Ends a user's export and drops its file; false if there is none.
    pub fn drop(&self, id: &str, owner: &str) -> bool {
        let mut jobs = self.jobs.lock();
        let own = jobs.get(id).is_some_and(|job| job.owner == owner);
        if own {
            forget(&mut jobs, id);
        }
        own
    }
}

/// Ends an export and removes its file.
fn forget(jobs: &mut HashMap<String, Job>, id: &str) {
    if let Some(job) = jobs.remove(id) {
        job.work.abort();
        // It may not be there yet.
        let _ = std::fs::remove_file(&job.file);
    }
}

fn make_room(jobs: &mut HashMap<String, Job>, owner: &str) -> Result<(), Refusal> {
    let now = time::now();
    let old: Vec<_> = jobs
        .iter()
        .filter(|(_, job)| now.saturating_sub(job.began) > LASTS)
        .map(|(id, _)| id.clone())
        .collect();
    for id in old {
        forget(jobs, &id);
    }
    if jobs.values().any(|job| job.owner == owner && job.shown.lock().state == "running") {
        return Err(Refusal::busy("exports of this user"));
    }
    let oldest = |jobs: &HashMap<String, Job>, owner: Option<&str>| {
        let done = jobs.iter().filter(|(_, job)| job.shown.lock().state != "running");
        let own = done.filter(|(_, job)| owner.is_none_or(|owner| job.owner == owner));
        own.min_by_key(|(_, job)| job.began).map(|(id, _)| id.clone())
    };
    while jobs.values().filter(|job| job.owner == owner).count() >= OF_ONE {
        match oldest(jobs, Some(owner)) {
            Some(id) => forget(jobs, &id),
            None => return Err(Refusal::busy("exports of this user")),
        };
    }
    if jobs.len() >= KEPT {
        match oldest(jobs, None) {
            Some(id) => forget(jobs, &id),
            None => return Err(Refusal::busy("exports")),
        };
    }
    Ok(())
}

async fn run(
    app: Arc<App>,
    order: Order,
    file: PathBuf,
    shown: Arc<Mutex<ExportJob>>,
    limit: u64,
    place: OwnedSemaphorePermit,
) {
    app.metrics.exports.inc();
    let written = written(&app, &order, file, &shown, limit).await;
    let mut shown = shown.lock();
    match written {
        Ok(cut) => {
            shown.state = "done";
            shown.url = Some(format!("/api/v1/exports/{}/file", shown.id));
            if cut {
                shown.problem =
                    Some(format!("there are more rows; the first {limit} are in the file"));
                shown.total = None;
            } else {
                shown.total = Some(shown.rows);
            }
        }
        Err(why) => {
            tracing::warn!(why, "an export failed");
            shown.state = "failed";
            shown.problem = Some(why);
        }
    }
    app.metrics.exports.dec();
    drop(place);
}

/// Writes the file; true if there are more rows than may be.
async fn written(
    app: &App,
    order: &Order,
    file: PathBuf,
    shown: &Mutex<ExportJob>,
    limit: u64,
) -> Result<bool, String> {
    let (sender, receiver) = mpsc::channel::<Vec<Value>>(2);
    let (listing, format) = (order.listing, order.format);
    let writer = spawn_blocking(move || sheet::write(&file, format, listing, receiver));
    let (mut cursor, mut rows, mut cut) = (None, 0_u64, false);
    let failed = loop {
        let left = u32::try_from(limit - rows).unwrap_or(AT_ONCE).min(AT_ONCE);
        if left == 0 {
            cut = true;
            break None;
        }
        let part = Part { cursor: cursor.take(), limit: left };
        let Rows { items, next } = match app
            .listed(listing.name, &order.given, order.scope.as_deref(), &order.owner, &part)
            .await
        {
            Ok(page) => page,
            Err(refusal) => break Some(refusal.message),
        };
        rows += items.len() as u64;
        if sender.send(items).await.is_err() {
            // The writer says why.
            break None;
        }
        shown.lock().rows = rows;
        match next {
            Some(next) => cursor = Some(next),
            None => break None,
        }
    };
    drop(sender);
    let written = writer.await.map_err(|error| error.to_string())?;
    match failed {
        Some(why) => Err(why),
        None => {
            written.map(|()| cut).map_err(|error| format!("the file cannot be written: {error}"))
        }
    }
}

impl App {
    /// Rows of a list, of the index or of the access log.
    ///
    /// # Errors
    /// If a filter or the cursor is not what it must be, or the database fails.
    pub async fn listed(
        &self,
        name: Name,
        given: &Given,
        scope: Option<&str>,
        asker: &str,
        part: &Part,
    ) -> Result<Rows, Refusal> {
        if name == Name::AccessLog {
            return crate::api::log::rows(self, given, scope, asker, part).await;
        }
        self.index.rows(name, given, scope, part).await
    }
}
