//! Questions whose answer follows from what they say: facts of a text, sums, and what a few lines of code print.

use super::{Item, Request, Right};
use crate::random::Random;

/// Forms of question.
const FORMS: usize = 32;

/// `samples` questions, form after form.
pub(super) fn items(request: &Request) -> Vec<Item> {
    let mut random = Random::new(request.seed, "accuracy");
    (0..request.samples as usize)
        .map(|at| {
            let template = at % FORMS;
            let (prompt, right, wrong) = question(template, &mut random);
            Item { template, prompt, right: Right::Says("accuracy", right, wrong) }
        })
        .collect()
}

/// One question: what it asks, what is right, and what must not be said beside it.
fn question(form: usize, random: &mut Random) -> (String, String, Vec<String>) {
    let (first, second, third) = (random.name(), random.name(), random.name());
    let (a, b, c) = (random.between(11, 89), random.between(11, 89), random.between(2, 9));
    let number = |prompt: String, right: usize| (prompt, right.to_string(), Vec::new());
    let name = |prompt: String, right: &str, wrong: &[&str]| {
        (prompt, right.to_owned(), wrong.iter().map(|word| (*word).to_owned()).collect())
    };
    let code = |lines: &str| format!("What does this Python program print? Answer with the output alone.\n{lines}");
    match form {
        0 => number(format!("{first} has {a} boxes and {second} has {b}. How many boxes has {second}?"), b),
        1 => {
            name(format!("{first} lives in {second}, and {third} in Orlen. Who lives in {second}?"), &first, &[&third])
        }
        2 => name(
            format!("{first} lives in {second}, and {third} in Orlen. Where does {first} live?"),
            &second,
            &["Orlen"],
        ),
        3 => number(
            format!(
                "The service {first} listens on port {a}00, {second} on port {b}01. On which port listens {second}?"
            ),
            b * 100 + 1,
        ),
        4 => name(format!("{first} reviewed the change, {second} wrote it. Who wrote it?"), &second, &[&first]),
        5 => name(format!("{first} reviewed the change, {second} wrote it. Who reviewed it?"), &first, &[&second]),
        6 => number(format!("The module has {a} functions, of which {c} are public. How many are public?"), c),
        7 => name(
            format!(
                "The train to {first} leaves from platform A, the one to {second} from platform B. Where does the train from platform B go?"
            ),
            &second,
            &[&first],
        ),
        8 => number(
            format!(
                "Release {c} fixed {a} faults and release {} fixed {b}. How many faults did release {c} fix?",
                c + 1
            ),
            a,
        ),
        9 => name(
            format!("Team {first} owns the kernel, team {second} the store. Which team owns the store?"),
            &second,
            &[&first],
        ),
        10 => {
            name(format!("The key is called {first}, the lock {second}. What is the lock called?"), &second, &[&first])
        }
        11 => number(
            format!("{first} was born in 19{a} and {second} in 19{b}. In which year was {first} born?"),
            1900 + a,
        ),
        12 => number(format!("What is {a} + {b}?"), a + b),
        13 => number(format!("What is {} - {a}?", a + b), b),
        14 => number(format!("What is {c} * {c}?"), c * c),
        15 => number(format!("What is {} divided by {c}?", a * c), a),
        16 => number(format!("{first} buys {c} crates of {a} bottles. How many bottles are that?"), a * c),
        17 => number(format!("How many minutes are {c} hours?"), c * 60),
        18 => number(code(&format!("x = {a}\nx = x + {b}\nprint(x)")), a + b),
        19 => number(code(&format!("print(len(\"{first}\"))")), first.chars().count()),
        20 => number(code(&format!("total = 0\nfor i in range({c}):\n    total += {c}\nprint(total)")), c * c),
        21 => number(code(&format!("values = [{a}, {b}, {c}]\nprint(max(values))")), a.max(b)),
        22 => number(code(&format!("values = [{a}, {b}, {c}]\nprint(values[1])")), b),
        23 => number(code(&format!("table = {{\"x\": {a}, \"y\": {b}}}\nprint(table[\"y\"])")), b),
        24 => number(
            code(&format!("if {a} > {b}:\n    print({c})\nelse:\n    print({})", c + 10)),
            if a > b { c } else { c + 10 },
        ),
        25 => number(code(&format!("print({a} // {c})")), a / c),
        26 => number(format!("How many names are in this list: {first}, {second}, {third}?"), 3),
        27 => name(
            format!("Which name comes first in this list: {first}, {second}, {third}?"),
            &first,
            &[&second, &third],
        ),
        28 => {
            name(format!("Which name comes last in this list: {first}, {second}, {third}?"), &third, &[&first, &second])
        }
        29 => number(format!("From the JSON {{\"retries\": {c}, \"timeout\": {a}}}: what is the timeout?"), a),
        30 => name(format!("From the line `user={first};role={second}`: what is the role?"), &second, &[&first]),
        _ => number(format!("Which is larger, {a} or {}? Answer with the number alone.", a + c), a + c),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::probe::{Probe, text};

    #[test]
    fn every_form_is_answered_rightly_by_its_own_answer_and_by_no_other() {
        let request = Request { probe: Probe::Accuracy, seed: 5, samples: 64, up_to: 0 };
        let items = items(&request);
        assert_eq!(items.iter().map(|item| item.template).collect::<BTreeSet<_>>().len(), FORMS);
        for item in &items {
            let Right::Says(_, right, wrong) = &item.right else { panic!("{}", item.prompt) };
            assert!(text::says(&format!("The answer is {right}."), right, wrong), "{}", item.prompt);
            assert!(!text::says("UNKNOWN", right, wrong), "{}", item.prompt);
            assert!(!wrong.contains(right), "{}", item.prompt);
        }
    }
}
