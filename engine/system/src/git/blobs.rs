//! Contents of objects, through two long-lived `cat-file` processes: one says sizes, one says contents.
//! An object is asked for its size first, so what is too large is never read.

use std::io;

use super::{GitError, Oid, Repository};
use crate::process::{Command, Conversation};

/// The content of a blob, if it can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// All of it.
    Data(Vec<u8>),
    /// Larger than the bound; its size in bytes. Not read.
    TooLarge(u64),
    /// Not in the object database, damaged, or not a blob.
    Missing,
}

/// Reads blobs. Not shared between threads: each makes its own.
pub struct Blobs {
    sizes: Talker,
    contents: Talker,
}

/// A `cat-file` process that is started again after an object that it could not survive.
struct Talker {
    command: Command,
    process: Option<Conversation>,
    deaths: usize,
}

/// What is written before the answers are read; a pipe holds 4 KiB everywhere, so neither side waits for the other.
const BATCH_BYTES: usize = 4000;
/// Objects that may each cost a process; with more, it is not the objects.
const MAX_DEATHS: usize = 200;
/// Longest header line: a name, a type, a size.
const LINE: usize = 4096;

impl Repository {
    /// A reader of blobs. The processes start with the first question.
    pub fn blobs(&self) -> Blobs {
        let talker = |mode: &str| Talker { command: self.command(["cat-file", mode]), process: None, deaths: 0 };
        Blobs { sizes: talker("--batch-check"), contents: talker("--batch") }
    }
}

impl Talker {
    fn process(&mut self) -> Result<&mut Conversation, GitError> {
        if self.process.is_none() {
            let started = Conversation::start(&self.command);
            self.process = Some(started.map_err(|error| failed(error.to_string()))?);
        }
        self.process.as_mut().ok_or_else(|| failed("not started".to_owned()))
    }

    /// Asks for each of `oids` and gives each answer to `take`; `None` where the process died of the question.
    fn ask<T>(
        &mut self,
        oids: &[Oid],
        mut take: impl FnMut(usize, Option<&mut Conversation>) -> io::Result<T>,
    ) -> Result<Vec<T>, GitError> {
        let mut answers = Vec::with_capacity(oids.len());
        while answers.len() < oids.len() {
            let begin = answers.len();
            let per_batch = BATCH_BYTES / (oids[begin].as_bytes().len() * 2 + 1);
            let batch = &oids[begin..oids.len().min(begin + per_batch)];
            let question: String = batch.iter().map(|oid| format!("{oid}\n")).collect();
            let process = self.process()?;
            // A process that died shows it when its answer is read.
            let _ = process.ask(question.as_bytes());
            for index in begin..begin + batch.len() {
                match take(index, Some(process)) {
                    Ok(answer) => answers.push(answer),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        let said = process.stderr_text();
                        self.process = None;
                        self.deaths += 1;
                        if self.deaths > MAX_DEATHS {
                            return Err(failed(said.lines().next().unwrap_or("it ends at every question").to_owned()));
                        }
                        answers.push(take(index, None).map_err(|error| failed(error.to_string()))?);
                        break;
                    }
                    Err(error) => {
                        self.process = None;
                        return Err(match error.kind() {
                            io::ErrorKind::TimedOut => GitError::TimedOut { command: "cat-file".to_owned() },
                            _ => failed(error.to_string()),
                        });
                    }
                }
            }
        }
        Ok(answers)
    }
}

fn failed(message: String) -> GitError {
    GitError::Failed { command: "cat-file".to_owned(), message }
}

/// Type and size from `OID TYPE SIZE`; `None` for `OID missing` and the like.
fn header(line: &[u8]) -> Option<(String, u64)> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (_, kind, size) = (words.next()?, words.next()?, words.next()?);
    Some((kind.to_owned(), size.parse().ok()?))
}

impl Blobs {
    /// One blob of at most `max` bytes.
    pub fn read(&mut self, oid: Oid, max: u64) -> Result<Blob, GitError> {
        let mut found = Blob::Missing;
        self.read_many(&[oid], max, |_, blob| found = blob)?;
        Ok(found)
    }

    /// Each of `oids`, in order, to `each` with its index. Pipelined: far quicker than one by one.
    pub fn read_many(&mut self, oids: &[Oid], max: u64, each: impl FnMut(usize, Blob)) -> Result<(), GitError> {
        self.objects("blob", oids, max, each)
    }

    /// The sizes of objects, in bytes; `None` for those that are missing.
    pub fn sizes(&mut self, oids: &[Oid]) -> Result<Vec<Option<u64>>, GitError> {
        Ok(self.headers(oids)?.into_iter().map(|header| header.map(|(_, size)| size)).collect())
    }

    fn headers(&mut self, oids: &[Oid]) -> Result<Vec<Option<(String, u64)>>, GitError> {
        self.sizes.ask(oids, |_, process| match process {
            Some(process) => Ok(header(&process.line(LINE)?)),
            None => Ok(None),
        })
    }

    pub(super) fn objects(
        &mut self,
        kind: &str,
        oids: &[Oid],
        max: u64,
        mut each: impl FnMut(usize, Blob),
    ) -> Result<(), GitError> {
        if oids.is_empty() {
            return Ok(());
        }
        // Both start at once: the second is ready when the first has answered.
        self.contents.process()?;
        let mut begin = 0;
        // In parts, so that the first contents arrive early and the lists stay short.
        for part in oids.chunks(1024) {
            let headers = self.headers(part)?;
            let mut wanted = Vec::new();
            for (index, header) in headers.iter().enumerate() {
                match header {
                    Some((found, size)) if found == kind && *size <= max => wanted.push(index),
                    _ => {}
                }
            }
            let names: Vec<Oid> = wanted.iter().map(|index| part[*index]).collect();
            let mut waiting = 0;
            // Hands on what needs no reading, up to `until`, so that `each` sees the order of `oids`.
            let skip = |waiting: &mut usize, until: usize, each: &mut dyn FnMut(usize, Blob)| {
                while *waiting < until {
                    let blob = match &headers[*waiting] {
                        Some((found, size)) if found == kind => Blob::TooLarge(*size),
                        _ => Blob::Missing,
                    };
                    each(begin + *waiting, blob);
                    *waiting += 1;
                }
            };
            self.contents.ask(&names, |nth, process| {
                let index = wanted[nth];
                let blob = match process {
                    None => Blob::Missing,
                    Some(process) => match header(&process.line(LINE)?) {
                        Some((found, size)) if found == kind && size <= max => {
                            let data = process.exact(usize::try_from(size).map_err(|_| io::ErrorKind::InvalidData)?)?;
                            process.exact(1)?;
                            Blob::Data(data)
                        }
                        // It was there a moment ago.
                        None => Blob::Missing,
                        Some(_) => return Err(io::ErrorKind::InvalidData.into()),
                    },
                };
                skip(&mut waiting, index, &mut each);
                each(begin + index, blob);
                waiting = index + 1;
                Ok(())
            })?;
            skip(&mut waiting, part.len(), &mut each);
            begin += part.len();
        }
        Ok(())
    }
}
