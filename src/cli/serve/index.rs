//! Keeps the audit table in step with the trail while the gateway runs, and until its last record.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    telemetry::metrics::Metrics,
    trail::{
        Clock,
        index::{Index, Options},
    },
};

/// How long it takes until a table that can't be opened is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often the lag is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How long the last records may take.
const LAST: Duration = Duration::from_secs(10);

/// The task that indexes.
#[derive(Debug)]
pub(super) struct Indexing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Indexing {
    /// Begins. A table that can't be opened stops nothing: the trail is what counts.
    /// `watched`: what time it is, and where the table's lag is shown.
    pub(super) fn start(
        control: &Handle,
        options: Options,
        watched: (Clock, Arc<Metrics>),
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = control.spawn(index(options, watched, stopped));
        Self { stop, task }
    }

    /// Indexes what is on the trail by now, and ends.
    pub(super) fn finish(self, runtime: &Runtime) {
        // A task that is gone needs no word.
        self.stop.send(()).ok();
        let ended = runtime.block_on(async { timeout(LAST, self.task).await });
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the audit table lacks the last records; the next start adds them");
        }
    }
}

async fn index(
    options: Options,
    (clock, metrics): (Clock, Arc<Metrics>),
    mut stopped: oneshot::Receiver<()>,
) {
    let index = loop {
        match Index::open(options.clone()).await {
            Ok(index) => break index,
            Err(error) => tracing::error!(%error, "the audit table can't be opened"),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = &mut stopped => return,
        }
    };
    tokio::select! {
        () = index.run(clock) => {}
        () = show_lag(&index, &metrics) => {}
        _ = &mut stopped => {}
    }
    if let Err(error) = index.catch_up().await {
        tracing::warn!(%error, "the audit table lacks the last records");
    }
    index.close().await;
}

async fn show_lag(index: &Index, metrics: &Metrics) {
    loop {
        metrics.index_lags(index.lag().bytes);
        tokio::time::sleep(LOOK).await;
    }
}
