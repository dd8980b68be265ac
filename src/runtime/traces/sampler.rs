//! Which traces are recorded: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
//!
//! Must not know: what spans are about.

use super::Context;

/// Decides for each span. Spans of one trace are decided alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// A span with a parent does as the parent.
    pub parent_based: bool,
    /// For the others: the part of all traces that is recorded, from 0 to 1.
    pub ratio: f64,
}

impl Default for Sampler {
    /// `parentbased_always_on`, the specification's default.
    fn default() -> Self {
        Self { parent_based: true, ratio: 1.0 }
    }
}

impl Sampler {
    /// A sampler by its name and argument. The error says what is wrong with which of the two.
    ///
    /// # Errors
    /// When the name is not known, or the argument is no number from 0 to 1 where one is used.
    pub(super) fn parse(name: &str, argument: Option<&str>) -> Result<Self, Wrong> {
        let (name, parent_based) = match name.strip_prefix("parentbased_") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let ratio = match name {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match argument.map(str::parse::<f64>) {
                None => 1.0,
                Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
                Some(_) => return Err(Wrong::Argument(Self { parent_based, ratio: 1.0 })),
            },
            _ => return Err(Wrong::Name),
        };
        Ok(Self { parent_based, ratio })
    }

    /// Whether a span of this trace is recorded.
    pub(super) fn samples(&self, parent: Option<&Context>, trace: &[u8; 16]) -> bool {
        if let Some(parent) = parent.filter(|_| self.parent_based) {
            return parent.sampled;
        }
        // The lower half of a trace's id is random; every service that has the same ratio decides alike.
        let random = u128::from_be_bytes(*trace) as u64 >> 1;
        // The largest numbers are rounded up to the bound.
        self.ratio >= 1.0 || (random as f64) < self.ratio * 2_f64.powi(63)
    }
}

/// What is wrong with the settings of a sampler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wrong {
    /// No such sampler.
    Name,
    /// No such ratio; this sampler takes its place.
    Argument(Sampler),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, argument: Option<&str>, expect: Result<(bool, f64), Wrong>) {
        let expect = expect.map(|(parent_based, ratio)| Sampler { parent_based, ratio });
        assert_eq!(Sampler::parse(name, argument), expect, "{name} {argument:?}");
    }

    #[test]
    fn names() {
        check("always_on", None, Ok((false, 1.0)));
        check("always_off", Some("x"), Ok((false, 0.0)));
        check("traceidratio", Some("0.25"), Ok((false, 0.25)));
        check("traceidratio", None, Ok((false, 1.0)));
        check("parentbased_always_on", None, Ok((true, 1.0)));
        check("parentbased_always_off", None, Ok((true, 0.0)));
        check("parentbased_traceidratio", Some("0"), Ok((true, 0.0)));
        check("parentbased_jaeger_remote", None, Err(Wrong::Name));
        for argument in ["1.5", "-1", "half", "NaN"] {
            let whole = Sampler { parent_based: true, ratio: 1.0 };
            check("parentbased_traceidratio", Some(argument), Err(Wrong::Argument(whole)));
        }
    }

    #[test]
    fn parents_decide_for_their_children() {
        let parent = |sampled| Context { trace: [1; 16], span: [1; 8], sampled, state: None };
        for (sampler, parent, expect) in [
            (Sampler { parent_based: true, ratio: 0.0 }, Some(parent(true)), true),
            (Sampler { parent_based: true, ratio: 1.0 }, Some(parent(false)), false),
            (Sampler { parent_based: false, ratio: 1.0 }, Some(parent(false)), true),
            (Sampler { parent_based: true, ratio: 0.0 }, None, false),
            (Sampler::default(), None, true),
        ] {
            assert_eq!(sampler.samples(parent.as_ref(), &[1; 16]), expect, "{sampler:?} {parent:?}");
        }
    }

    #[test]
    fn a_ratio_is_kept() {
        let sampler = Sampler { parent_based: false, ratio: 0.25 };
        let taken = (0..4000).filter(|_| sampler.samples(None, &fastrand::u128(1..).to_be_bytes())).count();
        assert!((800..1200).contains(&taken), "{taken} of 4000");
        let ends = |ratio| Sampler { parent_based: false, ratio }.samples(None, &[0xff; 16]);
        assert!(ends(1.0) && !ends(0.999));
    }
}
