//! Files outside of the database, as SQL names them, and a database in memory that can read them and nothing else.

use std::path::PathBuf;

use duckdb::{Config, Connection};

use crate::StoreError;

/// A text in SQL.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a column in SQL.
pub(crate) fn column(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A list of files in SQL.
///
/// # Errors
/// When a name is not Unicode, or means more to DuckDB than itself.
pub(crate) fn list(files: &[PathBuf]) -> Result<String, StoreError> {
    let mut paths = Vec::new();
    for path in files {
        let path = path.to_str().ok_or_else(|| StoreError::Query("the name of a file is not Unicode".to_owned()))?;
        if path.contains(['*', '?', '[', ']', '{', '}']) {
            return Err(StoreError::Query(format!("`{path}` could name several files")));
        }
        paths.push(text(path));
    }
    Ok(format!("[{}]", paths.join(", ")))
}

/// A database in memory that can read the files of a [`list`] and nothing else, and nothing can change that.
pub(crate) fn open(paths: &str) -> Result<Connection, duckdb::Error> {
    let config = Config::default()
        .enable_autoload_extension(false)?
        .max_memory("1GB")?
        .threads(2)?
        .with("autoinstall_known_extensions", "false")?
        .with("allow_community_extensions", "false")?
        .with("temp_directory", "")?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    connection.execute_batch(&format!(
        "SET TimeZone = 'UTC'; SET allowed_paths = {paths}; SET enable_external_access = false; SET lock_configuration = true;"
    ))?;
    Ok(connection)
}
