//! Prints what was read of files and what is wrong with them together: the printable dump of this stage.
//! `--errors` leaves the items out.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool for people who work on the language")]

use grace_dsl::{Parsed, Role, Source, SourceFile};

fn main() {
    let (options, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let read = |path: String| std::fs::read_to_string(&path).ok().map(|text| (path, text));
    let texts: Vec<(String, String)> = paths.into_iter().filter_map(read).collect();
    let parsed: Vec<Parsed> = texts.iter().map(|(_, text)| grace_dsl::parse(text)).collect();
    let mut files = Vec::new();
    for ((path, text), parsed) in texts.iter().zip(&parsed) {
        println!("{path}: {} items, {} broken", parsed.items.len(), parsed.broken.len());
        if options.is_empty() {
            parsed.items.iter().for_each(|item| println!("{item:#?}"));
        }
        files.push(SourceFile { path, text, parsed, role: Role::Own });
    }
    for diagnostic in grace_dsl::check(&files) {
        let text = texts.iter().find(|(path, _)| *path == diagnostic.path).map_or("", |(_, text)| text.as_str());
        println!("{:?}", grace_dsl::render(&diagnostic, &Source::new(diagnostic.path.as_str(), text)));
    }
}
