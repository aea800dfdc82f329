//! Names that look like a misspelt one.

/// The candidate nearest to `word` by edit distance (a swap of neighbours counts once), if it is near enough to be worth
/// showing: at most a third of the letters differ. Letters of either case are equal. Of several, the first.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    let lower = word.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(word.len()) > 8 || candidate == word {
            continue;
        }
        let distance = distance(&lower, &candidate.to_lowercase());
        if distance <= allowed && distance < candidate.chars().count() && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let a: Vec<char> = a.chars().take(LONGEST).collect();
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (table[(i - 1) * width + j] + 1)
                    .min(table[i * width + j - 1] + 1)
                    .min(table[(i - 1) * width + j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swapped_or_wrong_letter_is_found_and_a_stranger_is_not() {
        let names = ["kernel", "governance_policy", "layer1"];
        assert_eq!(nearest("kernal", names), Some("kernel"));
        assert_eq!(nearest("kenrel", names), Some("kernel"));
        assert_eq!(nearest("Kernel", names), Some("kernel"));
        assert_eq!(nearest("database", names), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
