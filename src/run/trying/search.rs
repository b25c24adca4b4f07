//! A binary search whose questions may stay without an answer. In: how many there are, answers. Out: what to ask next; the first that does it.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Does,
    DoesNot,
    Unknown,
}

pub struct Search(Vec<Option<Answer>>);

impl Search {
    pub fn among(count: usize) -> Search {
        Search(vec![None; count])
    }

    pub fn told(&mut self, at: usize, answer: Answer) {
        self.0[at] = Some(answer);
    }

    pub fn answer(&self, at: usize) -> Option<Answer> {
        self.0.get(at).copied().flatten()
    }

    /// First the last one that answers, then the first: what comes between is worth asking only if they differ.
    pub fn next(&self) -> Option<usize> {
        let of = |wanted: Answer| move |answer: &Option<Answer>| *answer == Some(wanted);
        let silent = of(Answer::Unknown);
        let last = self.0.iter().rposition(|answer| !silent(answer))?;
        match self.0[last] {
            None => return Some(last),
            Some(Answer::DoesNot) => return None,
            Some(_) => {}
        }
        let first = self.0.iter().position(|answer| !silent(answer))?;
        if self.0[first].is_none() {
            return Some(first);
        }
        let does = self.0.iter().position(of(Answer::Does))?;
        let low = self.0[..does].iter().rposition(of(Answer::DoesNot)).map_or(0, |at| at + 1);
        let middle = low + (does - low) / 2;
        (low..does).filter(|at| self.0[*at].is_none()).min_by_key(|at| at.abs_diff(middle))
    }

    /// The first that is known to do it, and those right before it that did not answer.
    pub fn found(&self) -> Option<(usize, Vec<usize>)> {
        let first = self.0.iter().position(|answer| *answer == Some(Answer::Does))?;
        let unknown = (0..first).rev().take_while(|at| self.0[*at] == Some(Answer::Unknown));
        let mut unknown: Vec<usize> = unknown.collect();
        unknown.reverse();
        Some((first, unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{Does, DoesNot, Unknown};
    use super::*;

    /// The first, those before it without an answer, and how many were asked.
    fn search(truth: &[Answer]) -> (Option<(usize, Vec<usize>)>, usize) {
        let mut search = Search::among(truth.len());
        let mut asked = 0;
        while let Some(at) = search.next() {
            assert_eq!(search.answer(at), None, "asked twice: {at} of {truth:?}");
            search.told(at, truth[at]);
            asked += 1;
        }
        (search.found(), asked)
    }

    #[test]
    fn the_first_is_found_wherever_it_is() {
        for first in 0..=100 {
            let truth: Vec<Answer> = (0..100).map(|at| if at < first { DoesNot } else { Does }).collect();
            let (found, asked) = search(&truth);
            assert_eq!(found, (first < 100).then(|| (first, Vec::new())));
            assert!(asked <= 9, "{asked} for {first}");
        }
    }

    #[test]
    fn who_does_not_answer_is_gone_around() {
        assert_eq!(search(&[DoesNot, Unknown, Unknown, Does]).0, Some((3, vec![1, 2])));
        assert_eq!(search(&[Unknown, DoesNot, Unknown, Does, Unknown]).0, Some((3, vec![2])));
        assert_eq!(search(&[Unknown, Does, Does]).0, Some((1, vec![0])));
        assert_eq!(search(&[DoesNot, DoesNot, Unknown]), (None, 2));
        assert_eq!(search(&[Unknown, Unknown]), (None, 2));
        for truth in 0..3_usize.pow(6) {
            // Every way that six can answer ends.
            let truth: Vec<Answer> = (0..6).map(|at| [Does, DoesNot, Unknown][truth / 3_usize.pow(at) % 3]).collect();
            search(&truth);
        }
    }
}
