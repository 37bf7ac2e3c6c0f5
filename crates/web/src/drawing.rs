//! What all plots are drawn with: places along an axis, round ticks, short coordinates. Colours, type and line widths
//! come from the style sheets.

use maud::{Markup, html};

/// A count as a coordinate. Beyond four billion it stops growing, which no plot can show anyway.
pub(crate) fn coordinate(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A place in a list as a coordinate.
pub(crate) fn place_of(at: usize) -> f64 {
    coordinate(u64::try_from(at).unwrap_or(u64::MAX))
}

/// `part / whole` where there is a whole.
pub(crate) fn quotient(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| coordinate(part) / coordinate(whole))
}

/// From values to places along an axis.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// Value at the end; the axis begins at 0.
    pub(crate) max: f64,
    /// Place of 0.
    pub(crate) from: f64,
    /// Place of the end.
    pub(crate) to: f64,
}

impl Scale {
    /// Where a value is; what lies outside is put at the nearer end.
    pub(crate) fn at(self, value: f64) -> f64 {
        let share = if self.max > 0.0 { (value / self.max).clamp(0.0, 1.0) } else { 0.0 };
        self.from + share * (self.to - self.from)
    }

    /// Four to six round steps from 0 up to the end.
    pub(crate) fn ticks(self) -> Vec<f64> {
        let step = step(self.max / 5.0);
        let mut ticks = Vec::new();
        let mut tick = 0.0;
        while tick <= self.max * 1.000_001 && ticks.len() < 12 {
            ticks.push(tick);
            tick += step;
        }
        ticks
    }
}

/// The next of 1, 2, 5, 10, 20, 50, … at or above `rough`.
pub(crate) fn step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let magnitude = 10_f64.powf(rough.log10().floor());
    let leading = rough / magnitude;
    let nice = if leading <= 1.0 {
        1.0
    } else if leading <= 2.0 {
        2.0
    } else if leading <= 5.0 {
        5.0
    } else {
        10.0
    };
    nice * magnitude
}

/// A coordinate in a drawing, short.
pub(crate) fn short(value: f64) -> String {
    format!("{value:.1}")
}

/// Places as the points of a line or an area.
pub(crate) fn points(places: impl Iterator<Item = (f64, f64)>) -> String {
    places.map(|(x, y)| format!("{},{}", short(x), short(y))).collect::<Vec<_>>().join(" ")
}

/// Width of a strip in its own units; the page stretches it.
const STRIP: f64 = 1_000.0;

/// One value with its interval on an axis from 0 to 1, as wide as there is room: a band for what is ordinary, a line
/// for the interval, a dot for the value. Everything in shares of the axis.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strip {
    /// What is ordinary, from and to.
    pub(crate) band: Option<(f64, f64)>,
    /// A mark across, such as a median.
    pub(crate) across: Option<f64>,
    /// The interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// The value.
    pub(crate) dot: Option<f64>,
    /// Grid lines between the ends.
    pub(crate) steps: usize,
}

impl Strip {
    /// Draws it. The words beside it say the same; it is hidden from those who do not see it.
    pub(crate) fn draw(&self, class: &str) -> Markup {
        let at = |share: f64| short(share.clamp(0.0, 1.0) * STRIP);
        html! {
            svg class={ "strip " (class) } viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                @for step in 0..=self.steps {
                    @let x = at(place_of(step) / place_of(self.steps).max(1.0));
                    line class="grid" x1=(x) x2=(x) y1="0" y2="20" {}
                }
                @if let Some((from, to)) = self.band {
                    rect class="band" x=(at(from)) width=(short((to - from).clamp(0.0, 1.0) * STRIP)) y="4" height="12" {}
                }
                @if let Some(share) = self.across { line class="across" x1=(at(share)) x2=(at(share)) y1="2" y2="18" {} }
                @if let Some((from, to)) = self.interval { line class="interval" x1=(at(from)) x2=(at(to)) y1="10" y2="10" {} }
                // A line without length and with round ends is a dot, however the strip is stretched.
                @if let Some(share) = self.dot { line class="dot" x1=(at(share)) x2=(at(share)) y1="10" y2="10" {} }
            }
        }
    }
}

/// Bars side by side, as wide as there is room. Each bar is a list of parts from the bottom up: class, value, and what
/// is said of it.
pub(crate) fn bars(class: &str, most: u64, all: &[Vec<(&str, u64, String)>]) -> Markup {
    const HEIGHT: f64 = 40.0;
    let y = Scale { max: coordinate(most), from: HEIGHT, to: 0.0 };
    let width = STRIP / place_of(all.len()).max(1.0);
    html! {
        svg class={ "bars " (class) } viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            @for (at, parts) in all.iter().enumerate() {
                @for (class, value, said) in parts {
                    @if *value > 0 {
                        // What is there at all can be seen.
                        @let top = y.at(coordinate(*value)).min(HEIGHT - 1.5);
                        rect class=(class) x=(short(width * (place_of(at) + 0.1))) width=(short(width * 0.8)) y=(short(top)) height=(short(HEIGHT - top)) {
                            title { (said) }
                        }
                    }
                }
            }
            line class="ground" x1="0" x2="1000" y1="40" y2="40" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (max, expected) in [
            (1.0, vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            (37_385.0, vec![0.0, 10_000.0, 20_000.0, 30_000.0]),
            (0.01, vec![0.0, 0.002, 0.004, 0.006, 0.008, 0.01]),
        ] {
            let ticks = Scale { max, from: 0.0, to: 1.0 }.ticks();
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
            for (tick, wanted) in ticks.iter().zip(expected) {
                assert!((tick - wanted).abs() < max * 1e-9, "{ticks:?}");
            }
        }
    }

    #[test]
    fn a_scale_without_extent_stays_at_its_beginning() {
        let scale = Scale { max: 0.0, from: 3.0, to: 9.0 };
        assert!((scale.at(5.0) - 3.0).abs() < f64::EPSILON);
        assert!(scale.ticks().len() <= 2);
    }

    #[test]
    fn a_bar_of_one_among_a_million_can_be_seen() {
        let drawn =
            bars("x", 1_000_000, &[vec![("one", 1, "1".to_owned())], vec![("one", 0, "0".to_owned())]]);
        let drawn = drawn.into_string();
        assert!(drawn.contains("height=\"1.5\""), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 1, "{drawn}");
    }
}
