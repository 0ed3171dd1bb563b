//! The log: what is written, and how much of it.
//!
//! Whoever can make a node write a line can make it write a million. Parts of ours
//! limit the lines of each peer and client; here every line is limited by the
//! place in the code that writes it, which covers what the engine and the
//! libraries write of peers too. Libraries that use the `log` crate share one place
//! a level. A line that follows omitted ones says how many, and a metric counts
//! them.

use billchain_logging::LineLimit;
use parking_lot::Mutex;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, Instant},
};
use tracing::{Event, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

/// The engine says at `info` what it hears of every vote.
const DEFAULT: &str = "info,arc_malachitebft_core_consensus=warn,arc_malachitebft_engine=warn";
/// Lines of one place in the code that may follow each other at once.
const BURST: u32 = 100;
/// Time after which one more may.
const INTERVAL: Duration = Duration::from_millis(20);

/// Lines that were left out.
static OMITTED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Begins to write to standard output what `BILLCHAIN_LOG` asks for.
pub(crate) fn init() {
    let filter =
        EnvFilter::try_from_env("BILLCHAIN_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let format = Limited::new(Format::default().with_ansi(false));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).event_format(format).init();
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
struct Limited {
    format: Format<Full>,
    limit: Mutex<LineLimit<Identifier>>,
}

impl Limited {
    fn new(format: Format<Full>) -> Self {
        Self { format, limit: Mutex::new(LineLimit::new(BURST, INTERVAL)) }
    }
}

impl<S, N> FormatEvent<S, N> for Limited
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let place = event.metadata().callsite();
        let passed = self.limit.lock().pass(place, Instant::now());
        match passed {
            None => {
                OMITTED.inc();
                return Ok(());
            }
            Some(0) => {}
            Some(omitted) => {
                writeln!(writer, "{omitted} lines like the next were left out")?;
            }
        }
        self.format.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_flood_of_lines_from_one_place_is_cut_counted_and_takes_none_of_another() {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(written.clone())
            .with_ansi(false)
            .event_format(Limited::new(Format::default().with_ansi(false)))
            .finish();
        let before = OMITTED.get();
        tracing::subscriber::with_default(subscriber, || {
            let flood = |number: u32| tracing::warn!(number, "a vote with a wrong signature");
            (0..10_000).for_each(flood);
            tracing::warn!("a line of an honest peer");
            std::thread::sleep(2 * INTERVAL);
            flood(10_000);
        });
        let text = String::from_utf8(written.0.lock().clone()).unwrap();
        let flooded = text.matches("a vote with a wrong signature").count();
        assert!((100..1_000).contains(&flooded), "{flooded} lines");
        assert!(text.contains("a line of an honest peer"));
        let omitted = 10_001 - flooded as u64;
        assert_eq!(OMITTED.get() - before, omitted);
        assert!(text.contains("lines like the next were left out"), "{text}");
    }
}
