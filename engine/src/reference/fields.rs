//! Fields of models: what a test on one comes to.

use grace_dsl::ast::{Compare, FieldTest, Quantity, Unit, Value, ValueTest};
use grace_fingerprints::Value as Field;

use super::sets::not;
use super::world::World;
use crate::plan::Truth;

/// Whether a field of a model meets a test on a side; an absent field, or one that says `unknown`, is unknown.
pub(super) fn test(world: &World, side: usize, model: &str, test: &FieldTest) -> Truth {
    let field = test.field.text.as_str();
    let value = match world.input.past.model_fields.get(&(model.to_owned(), field.to_owned())) {
        Some(None) => return Truth::Unknown,
        Some(Some(value)) => value.clone(),
        None => match world.sides[side].models.get(model).and_then(|fingerprint| fingerprint.field(field)) {
            Some(value) => value,
            None => return Truth::Unknown,
        },
    };
    if value == Field::Text("unknown".to_owned()) {
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
