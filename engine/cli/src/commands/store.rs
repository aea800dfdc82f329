//! `store`: the ledger's records as tables, made again, and for other programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use grace_govern::project::{self, Projected};
use grace_ledger::PublicKey;
use grace_store::{Source, Store, Summary};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::failure::{Failure, Result};
use crate::load::{self, ledger, store_path};
use crate::screen;
use crate::screen::page::printable;

/// Where tables are written to unless another place is named, beside the database.
const EXPORT: &str = "parquet";

/// The store as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StoreReport {
    schema: &'static str,
    version: u32,
    /// The database.
    pub database: String,
    /// The ledgers that it was made from.
    pub ledgers: Vec<LedgerRows>,
    /// Its tables.
    pub tables: Vec<TableRows>,
    /// Where the tables were written to.
    pub exported: Option<String>,
    /// What became known of the store.
    pub notices: Vec<String>,
}

/// A ledger in the store.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LedgerRows {
    /// Its name.
    pub origin: String,
    /// Records that were taken in.
    pub records: u64,
}

/// A table.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TableRows {
    /// Its name; exported, that of the file before `.parquet`.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

/// Makes the database again, from this repository's ledger and those in `also`, which one of these keys signed.
pub(super) fn rebuild(context: &Context, also: &[PathBuf], keys: &[String], since: Option<&str>) -> Result<Answer> {
    let repository = context.place.repository()?;
    let since = since.map(load::moment).transpose()?;
    let mut trusted: Vec<PublicKey> = Vec::new();
    if !also.is_empty() {
        // This user's own, too, where there is one.
        trusted.extend(ledger::trusted(&context.place, None));
        for key in keys {
            trusted.push(ledger::trusted(&context.place, Some(key))?);
        }
    }
    let mut origins = BTreeSet::new();
    let mut others: Vec<Projected> = Vec::new();
    for dir in also {
        let other = project::of_another(&context.place.absolute(dir), &trusted)?;
        if !origins.insert(other.origin().to_owned()) {
            return Err(twice(other.origin()));
        }
        others.push(other);
    }
    let own = project::recorded(repository)?;
    if !own.is_there() && others.is_empty() {
        return Err(no_ledger());
    }
    if origins.contains(own.origin()) {
        return Err(twice(own.origin()));
    }
    let mut store = Store::at(&store_path(repository));
    store.rebuild(since, || {
        // As it is now that nobody else takes it in.
        let own = project::recorded(repository)?;
        let own = own.is_there().then(|| Box::new(own) as Box<dyn Source>);
        Ok(own.into_iter().chain(others.into_iter().map(|other| Box::new(other) as Box<dyn Source>)).collect())
    })?;
    answer(context, &mut store, None)
}

/// Writes every table to a Parquet file, after what the database lacks was taken in.
pub(super) fn export(context: &Context, to: Option<&Path>) -> Result<Answer> {
    let repository = context.place.repository()?;
    let home = store_path(repository);
    let mut store = Store::at(&home);
    if !project::recorded(repository)?.is_there() {
        return Err(no_ledger());
    }
    store.take_in(|| project::recorded(repository))?;
    let to = to.map_or_else(|| home.join(EXPORT), |to| context.place.absolute(to));
    store.export(&to)?;
    answer(context, &mut store, Some(to.display().to_string()))
}

fn answer(context: &Context, store: &mut Store, exported: Option<String>) -> Result<Answer> {
    let Summary { tables, origins } = store.summary()?;
    let report = StoreReport {
        schema: "grace-rules/store",
        version: 1,
        database: store.database_path().display().to_string(),
        ledgers: origins.into_iter().map(|(origin, records)| LedgerRows { origin, records }).collect(),
        tables: tables.into_iter().map(|(table, rows)| TableRows { table, rows }).collect(),
        exported,
        notices: store.take_notices().iter().map(|notice| printable(&notice.to_string())).collect(),
    };
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::store::store(&mut page, &report);
    Ok(Answer::yes(page.finish()))
}

fn twice(origin: &str) -> Failure {
    Failure::new("input", format!("the ledger `{}` is given twice", printable(origin)))
        .help("this repository's own ledger is read anyway")
}

fn no_ledger() -> Failure {
    Failure::new("ledger", "there is no ledger here that this user's key signed").help("grace-rules run makes one")
}
