//! A progress bar for long logs.

use chancery_audit::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far verification has come, on standard error where that is a terminal. Logs that are read in a
/// moment never show it.
#[derive(Debug, Default)]
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Shows it.
    pub(super) fn show(&mut self, progress: Progress) {
        if self.0.is_none() && progress.bytes >= progress.total_bytes {
            return;
        }
        let bar = self.0.get_or_insert_with(|| new(progress.total_bytes));
        bar.set_position(progress.bytes);
        bar.set_message(format!("{} lines", progress.lines));
    }

    /// Takes it off the screen.
    pub(super) fn end(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}

fn new(bytes: u64) -> ProgressBar {
    let template = "{percent:>3} % [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    // It draws nothing where standard error is no terminal.
    ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr())
        .with_style(style.progress_chars("=> "))
}
