//! Prints files in their one look, or why one cannot be formatted. `--write` writes them.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool for people who work on the language")]

fn main() {
    let (options, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        match grace_dsl::format(&text) {
            Err(error) => println!("{path}: {error}"),
            Ok(made) if options.is_empty() => print!("{made}"),
            Ok(made) => {
                if made != text && std::fs::write(&path, made).is_ok() {
                    println!("{path}: formatted");
                }
            }
        }
    }
}
