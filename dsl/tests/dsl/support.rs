//! What several tests need.

use grace_dsl::{Diagnostic, Parsed, Role, Source, SourceFile, check, parse, render};

/// Checks texts as a project's own files, named `a.grace`, `b.grace` and so on.
pub(crate) fn check_texts(texts: &[&str]) -> Vec<Diagnostic> {
    let own: Vec<(&str, Role)> = texts.iter().map(|text| (*text, Role::Own)).collect();
    check_roles(&own)
}

/// Checks texts in their roles.
pub(crate) fn check_roles(texts: &[(&str, Role)]) -> Vec<Diagnostic> {
    let parsed: Vec<Parsed> = texts.iter().map(|(text, _)| parse(text)).collect();
    let paths: Vec<String> = (b'a'..).map(|letter| format!("{}.grace", char::from(letter))).take(texts.len()).collect();
    let files: Vec<SourceFile<'_>> = texts
        .iter()
        .zip(&parsed)
        .zip(&paths)
        .map(|(((text, role), parsed), path)| SourceFile { path, text, parsed, role: *role })
        .collect();
    check(&files)
}

/// The whole output for a diagnostic, as the command line shows it without colour.
pub(crate) fn rendered(diagnostic: &Diagnostic, path: &str, text: &str) -> String {
    let report = render(diagnostic, &Source::new(path, text));
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut page = String::new();
    handler.render_report(&mut page, report.as_ref()).expect("a string takes any text");
    page.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>().trim_matches('\n').to_owned()
}
