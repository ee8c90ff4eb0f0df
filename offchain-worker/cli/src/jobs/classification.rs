//! Classification: the class of each image.

use super::{
    Prepare,
    inputs::{read, read_numbers, unusable, written_out},
    prepared::JobInputs,
};
use crate::exit::CliError;
use agora_compute::classifier::{self, NetworkError};
use agora_primitives::job::{InferenceJob, JobKind};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct ClassificationArgs {
    /// The model: a package, such as `agora result --format model` gives of a training task.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// File with the images: one byte per pixel, one image after the other.
    #[arg(long, value_name = "FILE")]
    images: PathBuf,
}

/// What helps if a pixel is above the network's maximum.
const BRIGHT: &str = "scale all pixels to 0 up to the largest value of a pixel that the network was trained with, which is \
                      byte 22 of its package";

impl Prepare for ClassificationArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let (package, pixels) = (read(&self.model)?, read_numbers(&self.images)?);
        inputs.warn(written_out(&self.images, &pixels));
        let no_network = |error: NetworkError| unusable(&self.model, error);
        let decoded = classifier::Package::decode(&package).map_err(no_network)?;
        let shape = decoded.shape;
        let items = pixels.len() / shape.pixels();
        if items * shape.pixels() != pixels.len() {
            let reason = format!(
                "{} bytes are not a whole number of images; the model takes images of {} × {} pixels, one byte each",
                pixels.len(),
                shape.width,
                shape.height
            );
            return Err(unusable(&self.images, reason));
        }
        Ok(JobKind::Inference(InferenceJob {
            model: inputs.add(
                &self.model,
                package,
                "make the package again, with `agora result --format model`",
            ),
            input: inputs.add(&self.images, pixels, BRIGHT),
            network: decoded.network(),
            // A job with more items than fit is refused by its limits.
            items: u32::try_from(items).unwrap_or(u32::MAX),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Files, parse, prepare};
    use super::*;
    use agora_primitives::job::JobSpec;

    /// A network of 2 × 2 pixels, one hidden unit and two classes.
    fn package() -> classifier::Package {
        package_of(255)
    }

    /// One with such a largest value of a pixel.
    fn package_of(maximum: u8) -> classifier::Package {
        let shape = classifier::Shape {
            width: 2,
            height: 2,
            window_width: 2,
            window_height: 2,
            padding: 0,
            pool: 1,
            channels: 1,
            classes: 2,
        };
        let weights = vec![1; shape.weights()];
        let package = classifier::Package::new(shape, maximum, weights);
        package.expect("within the limits")
    }

    #[tokio::test]
    async fn items_are_counted_and_the_network_is_the_models() {
        let files = Files::new();
        let (model, images) = (files.write("model", package().encode()), files.write("images", [7; 12]));
        let job = prepare(&["classification", "--model", &model, "--images", &images]).await;
        let JobSpec::V2(JobKind::Inference(job)) = job.expect("a job") else {
            panic!("it is inference");
        };
        assert_eq!((job.network, job.items), (package().network(), 3));
    }

    #[tokio::test]
    async fn part_of_an_image_is_refused() {
        let files = Files::new();
        let (model, images) = (files.write("model", package().encode()), files.write("images", [7; 11]));
        let arguments = ["classification", "--model", &model, "--images", &images];
        let refused = prepare(&arguments).await.expect_err("11 pixels");
        assert!(
            refused.contains("2 × 2 pixels") && refused.contains(&images),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn images_that_no_worker_could_use_are_refused_before_money_is_spent() {
        let files = Files::new();
        let (model, images) = (
            files.write("model", package_of(16).encode()),
            files.write("images", [16, 0, 3, 9, 16, 17, 0, 0]),
        );
        let arguments = ["classification", "--model", &model, "--images", &images];
        let refused = prepare(&arguments).await.expect_err("a pixel is too bright");
        assert!(refused.starts_with(&format!("{images}, byte 5: ")), "{refused}");
        assert!(refused.contains("scale all pixels"), "{refused}");
        let fitting = files.write("images", [16; 8]);
        let arguments = ["classification", "--model", &model, "--images", &fitting];
        prepare(&arguments).await.expect("all pixels are at the maximum");
    }

    #[tokio::test]
    async fn wrong_arguments_are_refused() {
        let missing = parse(&["classification"]).expect_err("no files");
        assert!(missing.contains("--model") && missing.contains("--images"), "{missing}");
        let files = Files::new();
        let file = files.write("model", "no package");
        let arguments = ["classification", "--model", &file, "--images", &file];
        let refused = prepare(&arguments).await.expect_err("no package");
        assert!(
            refused.contains(&file) && refused.contains("no model package"),
            "{refused}"
        );
    }
}
