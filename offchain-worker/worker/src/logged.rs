//! What is logged, for tests: that a thing is said once is a promise, and so is in which span it is said.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// What this thread logs from its making until it is dropped.
pub(crate) struct Logged {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Logged {
    /// From now on.
    pub fn start() -> Self {
        let lines = Arc::default();
        let recorder = Recorder {
            lines: Arc::clone(&lines),
            spans: Mutex::default(),
            entered: Mutex::default(),
        };
        Self {
            lines,
            _guard: tracing::subscriber::set_default(recorder),
        }
    }

    /// All lines with `text`: the level, the spans, the message and its fields.
    pub fn with(&self, text: &str) -> Vec<String> {
        let lines = lock(&self.lines);
        lines.iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

struct Recorder {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Mutex<Vec<String>>,
    entered: Mutex<Vec<u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("writing to a string does not fail");
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        let mut spans = lock(&self.spans);
        spans.push(text.0);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().level().to_string());
        for id in lock(&self.entered).iter() {
            let span = &lock(&self.spans)[*id as usize - 1];
            write!(text.0, " [{span}]").expect("writing to a string does not fail");
        }
        event.record(&mut text);
        lock(&self.lines).push(text.0);
    }

    fn enter(&self, id: &Id) {
        lock(&self.entered).push(id.into_u64());
    }

    fn exit(&self, id: &Id) {
        let mut entered = lock(&self.entered);
        if let Some(at) = entered.iter().rposition(|one| *one == id.into_u64()) {
            entered.remove(at);
        }
    }
}
