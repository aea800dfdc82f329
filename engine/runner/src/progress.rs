//! How far a test command is, guessed from its output, for a display that is allowed to be wrong.

/// Counts the marks (`.`, `F`, `s` …) that pytest writes, one a test.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    line: String,
    done: usize,
}

impl Marks {
    /// Takes more output; the number of tests done, if it grew.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let before = self.now();
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    self.done += in_line(&self.line);
                    self.line.clear();
                }
                // Longer lines are no progress lines.
                _ if self.line.len() < 400 => self.line.push(char::from(*byte)),
                _ => {}
            }
        }
        let now = self.now();
        (now > before).then_some(now)
    }

    fn now(&self) -> usize {
        self.done + in_line(&self.line)
    }
}

/// `tests/test_a.py ..F.   [ 50%]`, with or without the file and the percentage.
fn in_line(line: &str) -> usize {
    let line = line.trim();
    let line =
        line.strip_suffix("%]").and_then(|line| line.rsplit_once('[')).map_or(line, |(marks, _)| marks.trim_end());
    let mut words = line.split_whitespace();
    let marks = match (words.next(), words.next(), words.next()) {
        (Some(marks), None, _) => marks,
        (Some(file), Some(marks), None) if file.ends_with(".py") => marks,
        _ => return 0,
    };
    if marks.bytes().all(|byte| b".FEsxX".contains(&byte)) { marks.len() } else { 0 }
}
