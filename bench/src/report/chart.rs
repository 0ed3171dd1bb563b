//! Line charts as inline SVG: nothing is loaded from anywhere.

use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 40.0;
/// Lines of one chart, told apart also by those who see few colours.
const COLOURS: [&str; 6] = ["#0b62a4", "#d1631c", "#3a8a3a", "#8a4fa3", "#b08c00", "#6b6b6b"];

/// One line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// From left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn new(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.to_owned(), points: points.into_iter().collect() }
    }
}

/// A chart; its vertical axis begins at 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What the horizontal axis shows, with its unit.
    pub(crate) across: String,
    pub(crate) series: Vec<Series>,
}

impl Chart {
    pub(crate) fn new(title: &str, across: &str, series: Vec<Series>) -> Self {
        Self { title: title.to_owned(), across: across.to_owned(), series }
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.points.is_empty())
    }

    /// The drawing.
    pub(crate) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bound = |of: fn(&(f64, f64)) -> f64, pick: fn(f64, f64) -> f64| {
            points().map(of).filter(|value| value.is_finite()).reduce(pick)
        };
        let left = bound(|point| point.0, f64::min).unwrap_or(0.0);
        let right = bound(|point| point.0, f64::max).unwrap_or(1.0);
        let top = bound(|point| point.1, f64::max).unwrap_or(1.0);
        let across = Axis::new(left, right, LEFT, WIDTH - RIGHT);
        let up = Axis::new(0.0, top, HEIGHT - BOTTOM, TOP);

        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\
             <text class=\"title\" x=\"{LEFT}\" y=\"16\">{title}</text>",
            title = escaped(&self.title),
        );
        self.legend(&mut svg);
        for (value, at, label) in up.ticks() {
            let class = if value == 0.0 { "axis" } else { "grid" };
            let _ = write!(
                svg,
                "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end}\" y2=\"{at:.1}\"/>\
                 <text x=\"{label_at}\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>",
                end = WIDTH - RIGHT,
                label_at = LEFT - 6.0,
                below = at + 4.0,
            );
        }
        for (_, at, label) in across.ticks() {
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>",
                below = HEIGHT - BOTTOM + 16.0,
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">{across}</text>",
            middle = f64::midpoint(LEFT, WIDTH - RIGHT),
            below = HEIGHT - 6.0,
            across = escaped(&self.across),
        );
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            line(&mut svg, series, colour, &across, &up);
        }
        svg.push_str("</svg>");
        svg
    }

    fn legend(&self, svg: &mut String) {
        let mut at = LEFT;
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let _ = write!(
                svg,
                "<rect x=\"{at:.0}\" y=\"26\" width=\"12\" height=\"3\" fill=\"{colour}\"/>\
                 <text x=\"{text:.0}\" y=\"31\">{name}</text>",
                text = at + 16.0,
                name = escaped(&series.name),
            );
            // About the width of its letters.
            at += 34.0 + 6.2 * series.name.chars().count() as f64;
        }
    }
}

fn line(svg: &mut String, series: &Series, colour: &str, across: &Axis, up: &Axis) {
    let drawn: Vec<(f64, f64)> = series
        .points
        .iter()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (across.place(*x), up.place(*y)))
        .collect();
    match &drawn[..] {
        [] => {}
        [(x, y)] => {
            let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        points => {
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = write!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" points=\"{}\"/>",
                path.join(" ")
            );
        }
    }
}

/// Values between `low` and `high`, which are drawn at `from` and `to`.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    /// The bounds are moved out to the next ticks.
    fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = nice((high - low) / 5.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { low, high, from, to, step }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Values, where they are drawn, and how they are written.
    fn ticks(&self) -> Vec<(f64, f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        let decimals = (-self.step.log10().floor()).clamp(0.0, 6.0) as usize;
        (0..=count)
            .map(|number| {
                let value = self.low + number as f64 * self.step;
                (value, self.place(value), written(value, decimals))
            })
            .collect()
    }
}

/// The next of 1, 2, 5, 10, 20, … that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let of = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    of.into_iter().find(|nice| *nice >= step * 0.999_999).unwrap_or(10.0 * power)
}

/// A number with separators between thousands.
pub(crate) fn written(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (text.as_str(), String::new()),
    };
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// Text for HTML and SVG.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_numbers_have_separators() {
        for (step, expected) in
            [(0.7, 1.0), (1.0, 1.0), (3.0, 5.0), (0.021, 0.05), (7_000.0, 10_000.0)]
        {
            assert!((nice(step) / expected - 1.0).abs() < 1e-9, "{step}: {}", nice(step));
        }
        assert_eq!(written(1_234_567.0, 0), "1,234,567");
        assert_eq!(written(-1_234.5, 1), "-1,234.5");
        assert_eq!(written(999.0, 0), "999");
    }

    #[test]
    fn lines_stay_within_the_frame_and_higher_values_are_drawn_higher() {
        let series = Series::new("p50", [(0.0, 0.0), (10.0, 730.0), (20.0, 365.0)]);
        let svg = Chart::new("Latency, ms", "seconds", vec![series]).svg();
        let points = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let points: Vec<(f64, f64)> = points
            .split(' ')
            .map(|point| {
                let (x, y) = point.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            })
            .collect();
        assert_eq!(points[0], (LEFT, HEIGHT - BOTTOM));
        assert!(points[1].1 < points[2].1 && points[2].1 < points[0].1);
        assert!(points.iter().all(|(x, y)| {
            (LEFT..=WIDTH - RIGHT).contains(x) && (TOP..=HEIGHT - BOTTOM).contains(y)
        }));
        // The axis goes to the next round number.
        assert!(svg.contains(">800<") && svg.contains(">0<"), "{svg}");
    }

    #[test]
    fn nothing_and_one_point_and_broken_numbers_can_be_drawn() {
        assert!(Chart::default().is_empty());
        assert!(Chart::default().svg().ends_with("</svg>"));
        let one = Chart::new("t", "x", vec![Series::new("a", [(5.0, 1.0)])]);
        assert!(!one.is_empty() && one.svg().contains("<circle"));
        let broken = Chart::new("t", "x", vec![Series::new("a", [(0.0, f64::NAN), (1.0, 2.0)])]);
        assert!(!broken.svg().contains("NaN"));
    }

    #[test]
    fn text_cannot_break_out() {
        let svg = Chart::new("<b>&\"", "x", Vec::new()).svg();
        assert!(svg.contains("&lt;b&gt;&amp;&quot;") && !svg.contains("<b>"));
    }
}
