//! Medians and quantiles, of few numbers or many, none of them NaN.

/// The median; the mean of the middle two of an even number. NaN of none. Reorders what it is given.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return f64::NAN;
    }
    if count <= 32 {
        sort_few(values);
        return if count % 2 == 1 { values[count / 2] } else { middle(values[count / 2 - 1], values[count / 2]) };
    }
    let (below, at, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let at = *at;
    if count % 2 == 1 {
        return at;
    }
    middle(below.iter().copied().fold(f64::NEG_INFINITY, f64::max), at)
}

fn middle(low: f64, high: f64) -> f64 {
    low / 2.0 + high / 2.0
}

/// By insertion: for a handful the fastest there is.
fn sort_few(values: &mut [f64]) {
    for next in 1..values.len() {
        let value = values[next];
        let mut place = next;
        while place > 0 && values[place - 1] > value {
            values[place] = values[place - 1];
            place -= 1;
        }
        values[place] = value;
    }
}

/// The smallest value that is at least as large as a share `part` of the (sorted) values and one more: what the next one
/// exceeds with a chance of at most `1 - part`, if it is like them. Infinite where there are too few to say.
pub(crate) fn next_exceeds(sorted: &[f64], part: f64) -> f64 {
    let rank = ((sorted.len() + 1) as f64 * part).ceil() as usize;
    match rank {
        0 => f64::NEG_INFINITY,
        rank => sorted.get(rank - 1).copied().unwrap_or(f64::INFINITY),
    }
}

/// The value below which a share `part` of the sorted values lies.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = part.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    let (from, to) = (sorted[low], sorted[(low + 1).min(last)]);
    from + (to - from) * (place - low as f64)
}

/// The median of all values so far, as they come.
#[derive(Debug, Default)]
pub(crate) struct RunningMedian {
    sorted: Vec<f64>,
}

impl RunningMedian {
    pub(crate) fn push(&mut self, value: f64) {
        let place = self.sorted.partition_point(|other| *other <= value);
        self.sorted.insert(place, value);
    }

    pub(crate) fn get(&self) -> f64 {
        let count = self.sorted.len();
        match count {
            0 => f64::NAN,
            _ if count % 2 == 1 => self.sorted[count / 2],
            _ => middle(self.sorted[count / 2 - 1], self.sorted[count / 2]),
        }
    }
}
