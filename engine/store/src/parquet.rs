//! A ledger's records as one Parquet file: for programs that read no ledger. Nothing of it is kept in the database.

use std::path::Path;

use duckdb::{AccessMode, Connection, appender_params_from_iter, types::Value};
use grace_system::files::{self, FileError, FileErrorKind};

use crate::StoreError;
use crate::database::{Failure, config};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its number.
    pub seq: u64,
    /// Its hash in the tree, hexadecimal.
    pub leaf: String,
    /// Its kind.
    pub kind: String,
    /// When, by the clock of the machine; RFC 3339, UTC.
    pub ts: String,
    /// Who, in their words.
    pub actor: String,
    /// What wrote it.
    pub engine: String,
    /// Its bytes: one line of canonical JSON.
    pub record: String,
}

const COLUMNS: &str =
    "seq UBIGINT, leaf VARCHAR, kind VARCHAR, ts VARCHAR, actor VARCHAR, engine VARCHAR, record VARCHAR";

/// Writes records to a file, which must not exist; how many. Equal records give equal bytes.
///
/// # Errors
/// When a record cannot be read, or the file not be written: then it is not there.
pub fn write<E: From<StoreError>>(path: &Path, records: impl Iterator<Item = Result<RecordRow, E>>) -> Result<u64, E> {
    if files::exists(path) {
        return Err(StoreError::File(FileError {
            path: path.to_path_buf(),
            kind: FileErrorKind::Other("is there already".to_owned()),
        })
        .into());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Beside it, so that it appears whole or not at all.
    let scratch = files::temporary_dir_in(above).map_err(StoreError::from)?;
    fill(&scratch.path().join("records.parquet"), path, records)
}

fn fill<E: From<StoreError>>(
    beside: &Path,
    path: &Path,
    records: impl Iterator<Item = Result<RecordRow, E>>,
) -> Result<u64, E> {
    let failed = |error: duckdb::Error| E::from(Failure::of(&error).into_store(path));
    let text = beside.to_str().ok_or_else(|| {
        let kind = FileErrorKind::Other("its name is not Unicode".to_owned());
        E::from(StoreError::File(FileError { path: beside.to_path_buf(), kind }))
    })?;
    let open = || {
        // One thread writes row groups in one order.
        let connection = Connection::open_in_memory_with_flags(config(AccessMode::Automatic, true)?.threads(1)?)?;
        connection.execute_batch(&format!("CREATE TABLE records ({COLUMNS})"))?;
        Ok(connection)
    };
    let connection = open().map_err(failed)?;
    {
        let mut appender = connection.appender("records").map_err(failed)?;
        for record in records {
            let RecordRow { seq, leaf, kind, ts, actor, engine, record } = record?;
            let texts = [leaf, kind, ts, actor, engine, record].map(Value::Text);
            let row = [Value::UBigInt(seq)].into_iter().chain(texts);
            appender.append_row(appender_params_from_iter(row)).map_err(failed)?;
        }
        appender.flush().map_err(failed)?;
    }
    let copy = format!(
        "COPY (FROM records ORDER BY seq) TO '{}' (FORMAT parquet, COMPRESSION zstd)",
        text.replace('\'', "''")
    );
    let rows = connection.execute(&copy, []).map_err(failed)?;
    files::rename(beside, path).map_err(StoreError::from)?;
    Ok(rows as u64)
}
