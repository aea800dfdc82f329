//! Fields of models: what a test on one comes to.

use grace_dsl::ast::{BandLevel, BandTest, Compare, FieldTest, Quantity, Unit, Value, ValueTest};
use grace_fingerprints::{Evidence, Fingerprint, Value as Field};

use super::sets::not;
use super::world::World;
use crate::plan::Truth;

/// A band of the rules: the metric of its evidence, and its levels.
pub(super) type Band<'a> = (&'a str, &'a [BandLevel]);

/// Whether a field of a model meets a test on a side; an absent field, or one that says `unknown`, is unknown. Of a band the
/// newest evidence says the level; without any it is unmeasured, and the declared level stands.
pub(super) fn test(world: &World, side: usize, model: &str, band: Option<Band<'_>>, test: &FieldTest) -> Truth {
    let field = test.field.text.as_str();
    let mut measured = None;
    let value = match world.input.past.model_fields.get(&(model.to_owned(), field.to_owned())) {
        Some(None) => return Truth::Unknown,
        Some(Some(value)) => value.clone(),
        None => {
            let Some(fingerprint) = world.sides[side].models.get(model) else { return Truth::Unknown };
            let Some(declared) = fingerprint.field(field) else { return Truth::Unknown };
            measured = band.map(|band| level(band, fingerprint));
            match &measured {
                Some(Some(level)) => Field::Text(level.clone()),
                _ => declared,
            }
        }
    };
    let is = |word: &str| value == Field::Text(word.to_owned());
    let word = match &test.test {
        ValueTest::Is(wanted) | ValueTest::IsNot(wanted) => text_of(wanted).unwrap_or_default(),
        _ => "",
    };
    let standing = match word {
        _ if !["hallucination_rate", "bias_risk"].contains(&field) => None,
        "unmeasured" => Some(is("unmeasured") || !is("inconclusive") && !matches!(measured, Some(Some(_)))),
        "inconclusive" => Some(is("inconclusive")),
        _ => None,
    };
    if let Some(holds) = standing {
        return if matches!(test.test, ValueTest::Is(_)) { truth(holds) } else { truth(!holds) };
    }
    if ["unknown", "unmeasured", "inconclusive"].into_iter().any(is) {
        return Truth::Unknown;
    }
    match &test.test {
        ValueTest::True => match value {
            Field::Bool(is) => truth(is),
            _ => Truth::Unknown,
        },
        ValueTest::Is(wanted) => equals(&value, wanted),
        ValueTest::IsNot(wanted) => not(equals(&value, wanted)),
        ValueTest::Contains(wanted) => match value {
            Field::List(list) => truth(list.iter().any(|one| Some(one.as_str()) == text_of(wanted))),
            Field::Text(text) => text_of(wanted).map_or(Truth::Unknown, |part| truth(text.contains(part))),
            _ => Truth::Unknown,
        },
        ValueTest::Compare(compare, quantity) => match value {
            Field::Number(number) => match i64::try_from(number.0) {
                Ok(number) => within(number, number, *compare, in_base_unit(quantity)),
                Err(_) => Truth::Unknown,
            },
            _ => Truth::Unknown,
        },
    }
}

/// The level by the newest row of the metric, or `inconclusive`; `None` without a row.
fn level((metric, levels): Band<'_>, fingerprint: &Fingerprint) -> Option<String> {
    let mut newest = None;
    for row in fingerprint.evidence.iter().filter(|row| row.metric == metric) {
        if newest.is_none_or(|known: &Evidence| known.date <= row.date) {
            newest = Some(row);
        }
    }
    let row = newest?;
    // Both in thousandths of a percent.
    let [lower, upper] = [row.low.0, row.high.0].map(|share| share as i64 * 100);
    let fits = |one: &BandLevel| match one.test {
        BandTest::Upper(Compare::AtMost, most) => upper <= in_base_unit(&most),
        BandTest::Upper(Compare::Less, most) => upper < in_base_unit(&most),
        BandTest::Lower(Compare::AtLeast, least) => lower >= in_base_unit(&least),
        BandTest::Lower(Compare::More, least) => lower > in_base_unit(&least),
        BandTest::Within(least, most) => lower >= in_base_unit(&least) && upper <= in_base_unit(&most),
        _ => false,
    };
    let of = |name: &str| levels.iter().any(|one| one.level.text == name && fits(one));
    let found = ["high", "medium", "low"].into_iter().find(|name| of(name));
    Some(found.unwrap_or("inconclusive").to_owned())
}

fn equals(value: &Field, wanted: &Value) -> Truth {
    match (value, wanted) {
        (Field::Bool(is), Value::Word(word)) => match word.text.as_str() {
            "yes" | "true" => truth(*is),
            "no" | "false" => truth(!is),
            _ => Truth::Unknown,
        },
        (Field::Text(text), wanted) => text_of(wanted).map_or(Truth::Unknown, |wanted| truth(text == wanted)),
        (Field::List(list), wanted) => {
            text_of(wanted).map_or(Truth::Unknown, |wanted| truth(list.len() == 1 && list[0] == wanted))
        }
        (Field::Number(number), Value::Quantity(quantity)) => {
            truth(i64::try_from(number.0).is_ok_and(|number| number == in_base_unit(quantity)))
        }
        _ => Truth::Unknown,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Word(name) => Some(&name.text),
        Value::Text(text) => Some(&text.value),
        Value::Quantity(_) | Value::Date(_) => None,
    }
}

/// Thousandths of the base unit: milliseconds for durations, as written for the rest.
pub(super) fn in_base_unit(quantity: &Quantity) -> i64 {
    let factor = match quantity.unit {
        Unit::One | Unit::Percent | Unit::Points | Unit::Milliseconds => 1,
        Unit::Seconds => 1_000,
        Unit::Minutes => 60_000,
        Unit::Hours => 3_600_000,
        Unit::Days => 86_400_000,
    };
    quantity.thousandths.saturating_mul(factor)
}

/// Whether every, some or no number from `low` to `high` meets a comparison; all in thousandths.
pub(super) fn within(low: i64, high: i64, compare: Compare, value: i64) -> Truth {
    let (all, some) = match compare {
        Compare::Less => (high < value, low < value),
        Compare::AtMost => (high <= value, low <= value),
        Compare::More => (low > value, high > value),
        Compare::AtLeast => (low >= value, high >= value),
        Compare::Equal => (low == value && high == value, low <= value && value <= high),
    };
    if all {
        Truth::Yes
    } else if some {
        Truth::Unknown
    } else {
        Truth::No
    }
}

/// Yes or no.
pub(super) fn truth(is: bool) -> Truth {
    if is { Truth::Yes } else { Truth::No }
}
