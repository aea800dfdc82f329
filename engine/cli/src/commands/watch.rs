//! `watch`: the plan anew each time a file is saved.

use grace_engine::plan::Plan;
use grace_system::watch::{Touched, Watch};

use super::plan::{PlanReport, Signed};
use super::{Answer, Context, Show};
use crate::args::ChangeArgs;
use crate::failure::{Failure, Result};
use crate::load::reach;
use crate::load::session::{Refreshed, Session};
use crate::screen;

/// Names of saved files that are shown.
const MOST_NAMES: usize = 3;

pub(super) fn watch(context: &Context, args: &ChangeArgs, show: Show<'_>) -> Result<Answer> {
    if args.head.is_some() || args.staged || args.diff.is_some() || !args.files.is_empty() {
        return Err(Failure::new("usage", "`watch` follows the work tree").help("give it --base, or nothing"));
    }
    if args.rules.is_some() {
        return Err(Failure::new("usage", "`watch` judges by the project's own rules").help("leave out --rules"));
    }
    let repository = context.place.repository()?;
    // Before the tree is read: what is saved while it is read is not missed.
    let git = [repository.git_dir(), repository.common_dir()];
    let mut watch = Watch::new(&context.place.root, &git, &reach::folder(repository), &context.cancel)
        .map_err(|error| Failure::new("watch", format!("files cannot be watched: {error}")))?;
    let mut session = Session::open(&context.place, args, context.progress)?;
    let mut last = session.engine().plan();
    show(&plan_of(context, &session, &last, None)?)?;
    while let Some(touched) = watch.wait() {
        let saved = saved(&touched);
        match session.refresh(&touched) {
            Ok(Refreshed::Nothing) => continue,
            Ok(Refreshed::Edited | Refreshed::Loaded) => {}
            // In the middle of a merge git may have no answer; the next save loads everything.
            Err(failure) => {
                show(&if context.is_json() { failure.json() } else { failure.screen(context.width) })?;
                continue;
            }
        }
        let plan = session.engine().plan();
        if plan != last {
            show(&plan_of(context, &session, &plan, Some(&saved))?)?;
            last = plan;
        } else if !context.is_json() {
            let mut page = context.page();
            page.line(0, format!("{saved}: the plan is the same"));
            show(&(page.finish() + "\n"))?;
        }
    }
    Ok(Answer::yes(String::new()))
}

fn plan_of(context: &Context, session: &Session<'_>, plan: &Plan, saved: Option<&str>) -> Result<String> {
    let loaded = session.loaded();
    let signed = Signed::of(context, plan, loaded)?;
    if context.is_json() {
        // One plan a line, for whoever reads as they come.
        let report = PlanReport::new(plan, loaded, None).signed(signed);
        return serde_json::to_string(&report).map(|line| line + "\n").map_err(|error| Failure::new("bug", error));
    }
    let mut page = context.page();
    if let Some(saved) = saved {
        page.line(0, saved);
    }
    screen::plan::plan(&mut page, plan, &loaded.compared, None);
    if let Some(signed) = &signed {
        signed.show(&mut page, plan, &loaded.named);
    }
    screen::notes::problems(&mut page, &loaded.problems);
    // Plans that follow each other stand apart.
    Ok(page.finish() + "\n")
}

/// What was touched, in words.
fn saved(touched: &Touched) -> String {
    if touched.many {
        return "many files were touched".to_owned();
    }
    if touched.files.is_empty() {
        return "the repository or its records moved".to_owned();
    }
    let mut names: Vec<&str> = touched.files.iter().take(MOST_NAMES).map(String::as_str).collect();
    let more = touched.files.len() - names.len();
    let rest = format!("{more} more");
    if more > 0 {
        names.push(&rest);
    }
    format!("saved {}", names.join(", "))
}
