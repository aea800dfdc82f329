//! Prints what was read of a file and what is wrong with it: the printable dump of this stage.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool for people who work on the language")]

fn main() {
    for path in std::env::args().skip(1) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let parsed = grace_dsl::parse(&text);
        println!("{path}: {} items, {} broken", parsed.items.len(), parsed.broken.len());
        for item in &parsed.items {
            println!("{item:#?}");
        }
        for diagnostic in &parsed.diagnostics {
            println!("{:?}", grace_dsl::render(diagnostic, &path, &text));
        }
    }
}
