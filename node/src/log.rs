//! The log: what is written, and how much of it.
//!
//! Whoever can make a node write a line can make it write a million. Parts of ours
//! limit the lines of each peer and client; here every line is limited by the
//! place in the code that writes it, which covers what the engine and the
//! libraries write of peers too. Libraries that use the `log` crate share one place
//! a level. A line that follows omitted ones says how many, and a metric counts
//! them. The lines of admitted transactions, which only who asks for them has, are
//! as many as those.

use crate::spans::Spans;
use anyhow::Result;
use billchain_logging::LineLimit;
use clap::{Args, ValueEnum};
use parking_lot::Mutex;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, Instant},
};
use tracing::{Event, Level, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::filter_fn,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// The engine says at `info` what it hears of every vote.
const DEFAULT: &str = "info,arc_malachitebft_core_consensus=warn,arc_malachitebft_engine=warn";
/// What writes of each transaction that RPC took, and of nothing else.
const TRANSACTIONS: &str = "billchain::transactions";
/// Lines of one place in the code that may follow each other at once.
const BURST: u32 = 100;
/// Time after which one more may. What others can cause without end is a warning.
const INTERVAL: Duration = Duration::from_millis(20);
const WARNING_INTERVAL: Duration = Duration::from_millis(500);

/// Lines that were left out.
static OMITTED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// How the log is written. `BILLCHAIN_LOG` says what of.
#[derive(Args, Clone)]
pub(crate) struct LogOptions {
    /// Form of each line on standard output.
    #[arg(long = "log-format", value_enum, default_value_t = LogFormat::Text)]
    format: LogFormat,
    /// Two lines more for each transaction that this node's RPC takes: accepted,
    /// and included in which block, both with the id of the request.
    #[arg(long = "log-transactions")]
    transactions: bool,
    /// Collector to which the requests of transactions go as OpenTelemetry spans
    /// (OTLP over HTTP), such as `http://127.0.0.1:4318`.
    #[arg(long = "otlp-endpoint", value_name = "URL")]
    otlp_endpoint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins to write to standard output what `BILLCHAIN_LOG` and the options ask for. What
/// it gives exports spans for as long as it lives.
pub(crate) fn init(options: &LogOptions) -> Result<Option<Spans>> {
    let spans = options.otlp_endpoint.as_deref().map(Spans::to).transpose()?;
    let mut filter =
        EnvFilter::try_from_env("BILLCHAIN_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    if options.transactions {
        let directive = format!("{TRANSACTIONS}=debug").parse();
        filter = filter.add_directive(directive.expect("a target and a level; qed"));
    }
    let lines = tracing_subscriber::fmt::layer().with_ansi(false);
    let lines = match options.format {
        LogFormat::Text => lines.event_format(Limited::text()).boxed(),
        LogFormat::Json => {
            lines.fmt_fields(JsonFields::new()).event_format(Limited::json()).boxed()
        }
    };
    let exported = spans.as_ref().map(|spans| {
        let ours = filter_fn(|metadata| metadata.target() == TRANSACTIONS);
        tracing_opentelemetry::layer().with_tracer(spans.tracer()).with_filter(ours)
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(exported).init();
    Ok(spans)
}

/// Begins to write warnings to standard error, for a command that deals with peers and
/// whose own words go to standard output. `BILLCHAIN_LOG` may ask for more.
pub(crate) fn init_command() {
    let filter =
        EnvFilter::try_from_env("BILLCHAIN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    let lines = lines.event_format(Limited::text()).with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
}

/// Counts the lines that are left out.
pub(crate) fn register(registry: &mut Registry) {
    registry.register(
        "log_lines_omitted",
        "Log lines left out because too many came from one place",
        OMITTED.clone(),
    );
}

/// Writes lines as `format` does, but not too many from one place.
struct Limited<F> {
    format: F,
    /// Writes that so many lines like the next were left out.
    say_omitted: fn(&mut Writer<'_>, u64) -> fmt::Result,
    limit: Mutex<LineLimit<Identifier>>,
    warnings: Mutex<LineLimit<Identifier>>,
}

impl<F> Limited<F> {
    fn new(format: F, say_omitted: fn(&mut Writer<'_>, u64) -> fmt::Result) -> Self {
        let limit = |interval| Mutex::new(LineLimit::new(BURST, interval));
        let (limit, warnings) = (limit(INTERVAL), limit(WARNING_INTERVAL));
        Self { format, say_omitted, limit, warnings }
    }
}

impl Limited<Format<Full>> {
    fn text() -> Self {
        Self::new(Format::default().with_ansi(false), say_omitted_in_text)
    }
}

impl Limited<Format<Json>> {
    fn json() -> Self {
        // The whole list of spans: the innermost alone does not say whose it is.
        let format = Format::default().json().with_current_span(false).with_span_list(true);
        Self::new(format, say_omitted_in_json)
    }
}

fn say_omitted_in_text(writer: &mut Writer<'_>, omitted: u64) -> fmt::Result {
    writeln!(writer, "{omitted} lines like the next were left out")
}

fn say_omitted_in_json(writer: &mut Writer<'_>, omitted: u64) -> fmt::Result {
    writer.write_str(r#"{"timestamp":""#)?;
    SystemTime.format_time(writer)?;
    let message = "lines like the next were left out";
    let fields = format!(r#"{{"message":"{message}","omitted":{omitted}}}"#);
    let target = module_path!();
    writeln!(writer, r#"","level":"WARN","fields":{fields},"target":"{target}"}}"#)
}

impl<S, N, F> FormatEvent<S, N> for Limited<F>
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() == TRANSACTIONS {
            return self.format.format_event(context, writer, event);
        }
        let place = event.metadata().callsite();
        let is_warning = *event.metadata().level() <= Level::WARN;
        let limit = if is_warning { &self.warnings } else { &self.limit };
        let passed = limit.lock().pass(place, Instant::now());
        match passed {
            None => {
                OMITTED.inc();
                return Ok(());
            }
            Some(0) => {}
            Some(omitted) => {
                (self.say_omitted)(&mut writer, omitted)?;
            }
        }
        self.format.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::{io, sync::Arc};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Written {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// What is written of `lines` in either form, and how many lines were left out.
    fn written(format: LogFormat, lines: impl FnOnce()) -> (String, u64) {
        let written = Written::default();
        let builder = tracing_subscriber::fmt()
            .with_writer(written.clone())
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG);
        let subscriber: Box<dyn Subscriber + Send + Sync> = match format {
            LogFormat::Text => Box::new(builder.event_format(Limited::text()).finish()),
            LogFormat::Json => Box::new(
                builder.fmt_fields(JsonFields::new()).event_format(Limited::json()).finish(),
            ),
        };
        // Other tests of this process count, too.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock();
        let before = OMITTED.get();
        tracing::subscriber::with_default(subscriber, lines);
        let omitted = OMITTED.get() - before;
        (String::from_utf8(written.0.lock().clone()).unwrap(), omitted)
    }

    fn flood_and_one_more() {
        let flood = |number: u32| tracing::info!(number, "a vote with a wrong signature");
        (0..10_000).for_each(flood);
        tracing::warn!("a line of an honest peer");
        std::thread::sleep(2 * INTERVAL);
        flood(10_000);
    }

    #[test]
    fn a_flood_of_lines_from_one_place_is_cut_counted_and_takes_none_of_another() {
        let (text, omitted) = written(LogFormat::Text, flood_and_one_more);
        let flooded = text.matches("a vote with a wrong signature").count();
        assert!((100..1_000).contains(&flooded), "{flooded} lines");
        assert!(text.contains("a line of an honest peer"));
        assert_eq!(omitted, 10_001 - flooded as u64);
        assert!(text.contains("lines like the next were left out"), "{text}");
    }

    #[test]
    fn warnings_of_one_place_are_fewer() {
        let (text, omitted) = written(LogFormat::Text, || {
            (0..10_000).for_each(|number: u32| tracing::warn!(number, "a forged vote"));
        });
        let warned = text.matches("a forged vote").count();
        assert!((100..110).contains(&warned), "{warned} lines");
        assert_eq!(omitted, 10_000 - warned as u64);
    }

    #[test]
    fn in_json_every_line_is_an_object_what_was_left_out_too() {
        let (text, omitted) = written(LogFormat::Json, || {
            flood_and_one_more();
            let text = "quotes \" and\nlines";
            tracing::info_span!("request", id = text).in_scope(|| tracing::error!(text, "{text}"));
        });
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for line in &lines {
            let is_text = |name: &str| line[name].is_string();
            assert!(is_text("timestamp") && is_text("level") && is_text("target"), "{line}");
            assert!(line["fields"]["message"].is_string(), "{line}");
        }
        let told: u64 = lines.iter().filter_map(|line| line["fields"]["omitted"].as_u64()).sum();
        assert!(told > 9_000 && told == omitted, "{told} of {omitted}");
        let last = &lines[lines.len() - 1];
        assert_eq!(last["fields"]["text"], "quotes \" and\nlines");
        assert_eq!(last["spans"][0]["id"], "quotes \" and\nlines");
    }

    #[test]
    fn the_lines_of_admitted_transactions_are_all_there() {
        let (text, omitted) = written(LogFormat::Text, || {
            for number in 0..1_000 {
                tracing::debug!(target: TRANSACTIONS, number, "accepted");
            }
        });
        assert_eq!((text.lines().count(), omitted), (1_000, 0));
    }
}
