//! How fast jobs are done, in the layout that dashboards of the OpenPool read, with the fields
//! that it lacks: units in names, amounts as texts, numbers of samples.

use purser_events::policy::NodeType;
use purser_projections::analytics::{
    Measures, ModelSpeed, PartitionSpeed, Summary, Window, WorkerSpeed,
};
use purser_projections::names::{Names, Partition};

use super::number::ratio;
use super::object::Object;
use super::{name, text};

/// How fast the jobs of one partition are done.
#[derive(Clone, Copy, Debug)]
pub struct Performance<'a> {
    /// The partition.
    pub partition: &'a Partition,
    /// The names of workers and models.
    pub names: &'a Names,
    /// What was measured.
    pub speed: &'a PartitionSpeed,
    /// Over which time.
    pub window: Window,
    /// When, as `YYYYMMDD_HHMMSS`.
    pub timestamp: &'a str,
}

/// The word for a window in queries and answers.
#[must_use]
pub const fn window_name(window: Window) -> &'static str {
    match window {
        Window::All => "all",
        Window::Day => "24h",
        Window::Week => "7d",
        Window::Month => "30d",
    }
}

impl Performance<'_> {
    /// Appends the JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        object.text("export_timestamp", self.timestamp);
        object.text("node_type", self.partition.node_type.as_str());
        object.text("region", self.partition.region.as_str());
        object.text("window", window_name(self.window));
        let is_ai = self.partition.node_type == NodeType::Ai;
        let rows = |is_wanted: bool| self.speed.workers.iter().filter(move |_| is_wanted);
        list(
            object.key("transcode_performance"),
            rows(!is_ai),
            |out, row| {
                self.transcoding(out, row);
            },
        );
        list(object.key("ai_performance"), rows(is_ai), |out, row| {
            self.ai(out, row, false);
        });
        let rankings = object.key("ai_model_pipeline_rankings");
        let mut rankings = Object::new(rankings);
        let models = self
            .speed
            .workers
            .chunk_by(|one, next| one.model == next.model);
        for rows in models.filter(|_| is_ai) {
            let label = self.model_pipeline(&rows[0]);
            let ranked = rows.iter().filter(|row| row.rank.is_some());
            list(rankings.escaped_key(&label), ranked, |out, row| {
                self.ai(out, row, true);
            });
        }
        rankings.end();
        list(
            object.key("models"),
            self.speed.models.iter(),
            |out, model| {
                self.model(out, model);
            },
        );
        object.end();
    }

    fn transcoding(&self, out: &mut Vec<u8>, row: &WorkerSpeed) {
        let mut object = Object::new(out);
        let measures = &row.measures;
        self.head(&mut object, row);
        figures(&mut object, "real_time_ratio", &measures.real_time_ratio, 1);
        figures(&mut object, "real_time_milli", &measures.real_time_milli, 1);
        figures(&mut object, "response_time", &measures.response_time, 1);
        figures(&mut object, "response_time_ms", &measures.response_time, 1);
        sums(&mut object, measures);
        place(&mut object, row);
        object.end();
    }

    fn ai(&self, out: &mut Vec<u8>, row: &WorkerSpeed, is_ranked: bool) {
        let mut object = Object::new(out);
        self.head(&mut object, row);
        let model = row
            .model
            .and_then(|model| self.names.models().get(model.index()));
        if let Some((model_id, pipeline)) = model {
            object.text("model_id", model_id.as_str());
            object.text("pipeline", pipeline.as_str());
        }
        object.text("model_pipeline", &self.model_pipeline(row));
        figures(&mut object, "response_time", &row.measures.response_time, 1);
        figures(
            &mut object,
            "response_time_ns",
            &row.measures.response_time,
            1,
        );
        sums(&mut object, &row.measures);
        if is_ranked {
            place(&mut object, row);
        }
        object.end();
    }

    fn head(&self, object: &mut Object<'_>, row: &WorkerSpeed) {
        object.quoted("worker_address", |out| {
            name::worker(out, self.names, row.worker);
        });
        object.number("job_count", row.measures.jobs);
        object.number("samples", row.measures.response_time.count);
    }

    fn model_pipeline(&self, row: &WorkerSpeed) -> String {
        let model = row
            .model
            .and_then(|model| self.names.models().get(model.index()));
        model.map_or_else(String::new, |(model, pipeline)| {
            format!("{model} | {pipeline}")
        })
    }

    fn model(&self, out: &mut Vec<u8>, model: &ModelSpeed) {
        let mut object = Object::new(out);
        if let Some((model_id, pipeline)) = self.names.models().get(model.model.index()) {
            object.text("model_id", model_id.as_str());
            object.text("pipeline", pipeline.as_str());
        }
        object.number("samples", model.response_time.count);
        figures(&mut object, "response_time_ns", &model.response_time, 1);
        object.end();
    }
}

/// Median, mean, lowest and highest, in `parts` of the unit.
fn figures(object: &mut Object<'_>, what: &str, summary: &Summary, parts: u128) {
    let count = u128::from(summary.count);
    let mut put = |which: &str, dividend: i128, divisor: u128| {
        ratio(object.key(&format!("{which}_{what}")), dividend, divisor);
    };
    put("median", summary.median_x2, 2 * parts);
    put("mean", summary.sum, count * parts);
    put("min", summary.min.into(), parts);
    put("max", summary.max.into(), parts);
}

fn sums(object: &mut Object<'_>, measures: &Measures) {
    text::large_signed(object.key("total_compute_units"), measures.units);
    text::large(object.key("total_fees"), measures.fees_wei);
    object.amount("total_fees_wei", measures.fees_wei);
    let what = "compute_units_per_second";
    figures(object, what, &measures.units_per_second_milli, 1_000);
}

/// The rank, from 1, the best; and which part of the others is better, from 0, none of them.
fn place(object: &mut Object<'_>, row: &WorkerSpeed) {
    match row.rank {
        Some(rank) => {
            object.number("rank", rank);
            let others = u128::from(row.ranked.saturating_sub(1));
            ratio(object.key("percentile"), i128::from(rank) - 1, others);
        }
        None => {
            object.null("rank");
            object.null("percentile");
        }
    }
}

/// Appends a list.
pub(super) fn list<T>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}
