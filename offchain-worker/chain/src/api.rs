//! Types and addresses generated from the runtime's metadata.
//!
//! Types that the pallets share with the worker are the worker's own: [`subxt::utils::Static`] around the type of
//! `agora_primitives`.

/// The macro reads this file behind cargo's back: named here, a new one has the types built anew.
const _: &[u8] = include_bytes!("../metadata.scale");

#[subxt::subxt(
    runtime_metadata_path = "metadata.scale",
    derive_for_all_types = "Clone, PartialEq, Eq",
    substitute_type(
        path = "agora_primitives::ids::TaskId",
        with = "::subxt::utils::Static<::agora_primitives::TaskId>"
    ),
    substitute_type(
        path = "agora_primitives::ids::ClassId",
        with = "::subxt::utils::Static<::agora_primitives::ClassId>"
    ),
    substitute_type(
        path = "agora_primitives::participants::Role",
        with = "::subxt::utils::Static<::agora_primitives::participants::Role>"
    ),
    substitute_type(
        path = "agora_jobs::specialisation::Specialisation",
        with = "::subxt::utils::Static<::agora_primitives::participants::Specialisation>"
    ),
    substitute_type(
        path = "agora_primitives::participants::Specialisations",
        with = "::subxt::utils::Static<::agora_primitives::participants::Specialisations>"
    ),
    substitute_type(
        path = "agora_jobs::JobSource",
        with = "::subxt::utils::Static<::agora_primitives::job::JobSource>"
    ),
    substitute_type(
        path = "agora_jobs::claim::Claim",
        with = "::subxt::utils::Static<::agora_primitives::job::Claim>"
    ),
    substitute_type(
        path = "agora_jobs::blob::ChunkProof",
        with = "::subxt::utils::Static<::agora_primitives::job::ChunkProof>"
    ),
    substitute_type(path = "agora_jobs::JobSpec", with = "::subxt::utils::Static<::agora_primitives::job::JobSpec>"),
    substitute_type(
        path = "agora_disputes::accuse::Accusation",
        with = "::subxt::utils::Static<::agora_disputes::Accusation>"
    ),
    substitute_type(path = "agora_disputes::descent::Shown", with = "::subxt::utils::Static<::agora_disputes::Shown>"),
    substitute_type(
        path = "agora_disputes::unit::Defence",
        with = "::subxt::utils::Static<::agora_disputes::Defence>"
    ),
    substitute_type(
        path = "agora_disputes::branch::BranchMove",
        with = "::subxt::utils::Static<::agora_disputes::BranchMove>"
    ),
    substitute_type(path = "agora_disputes::runs::RunEnd", with = "::subxt::utils::Static<::agora_disputes::RunEnd>"),
    substitute_type(path = "agora_disputes::runs::Player", with = "::subxt::utils::Static<::agora_disputes::Player>"),
    substitute_type(
        path = "agora_disputes::runs::Segment",
        with = "::subxt::utils::Static<::agora_disputes::Segment>"
    ),
    substitute_type(
        path = "agora_disputes::game::Game",
        with = "::subxt::utils::Static<::agora_disputes::Game<::subxt::utils::AccountId32>>"
    ),
    substitute_type(
        path = "agora_disputes::dispute::Verdict",
        with = "::subxt::utils::Static<::agora_disputes::Verdict>"
    ),
    substitute_type(path = "agora_disputes::Terms", with = "::subxt::utils::Static<::agora_disputes::Terms>"),
    substitute_type(
        path = "agora_primitives::judging::JudgeRule",
        with = "::subxt::utils::Static<::agora_primitives::judging::JudgeRule>"
    ),
    substitute_type(
        path = "agora_primitives::judging::Ruling",
        with = "::subxt::utils::Static<::agora_primitives::judging::Ruling>"
    ),
    substitute_type(
        path = "agora_primitives::judging::Attestation",
        with = "::subxt::utils::Static<::agora_primitives::judging::Attestation>"
    ),
    substitute_type(
        path = "agora_primitives::judging::attestations::Attestations",
        with = "::subxt::utils::Static<crate::views::Attestations>"
    ),
    substitute_type(
        path = "agora_primitives::judging::sealed::Possession",
        with = "::subxt::utils::Static<::agora_primitives::judging::Possession>"
    ),
    substitute_type(
        path = "agora_primitives::task::Difficulty",
        with = "::subxt::utils::Static<::agora_primitives::task::Difficulty>"
    ),
    substitute_type(
        path = "agora_primitives::task::Contribution",
        with = "::subxt::utils::Static<crate::views::Contribution>"
    ),
    substitute_type(
        path = "agora_primitives::courts::CasePage",
        with = "::subxt::utils::Static<crate::views::CasePage>"
    ),
    substitute_type(
        path = "agora_primitives::task::TaskView",
        with = "::subxt::utils::Static<crate::views::TaskView>"
    ),
    substitute_type(
        path = "agora_primitives::task::TaskPage",
        with = "::subxt::utils::Static<crate::views::TaskPage>"
    ),
    substitute_type(
        path = "agora_primitives::money::Purpose",
        with = "::subxt::utils::Static<::agora_primitives::money::Purpose>"
    ),
    substitute_type(
        path = "agora_primitives::money::Scope",
        with = "::subxt::utils::Static<::agora_primitives::money::Scope>"
    ),
    substitute_type(
        path = "agora_primitives::reputation::Level",
        with = "::subxt::utils::Static<::agora_primitives::reputation::Level>"
    ),
    substitute_type(
        path = "agora_primitives::reputation::Side",
        with = "::subxt::utils::Static<::agora_primitives::reputation::Side>"
    ),
    substitute_type(
        path = "agora_primitives::reputation::Outcome",
        with = "::subxt::utils::Static<::agora_primitives::reputation::Outcome>"
    )
)]
#[allow(missing_docs, reason = "generated")]
pub mod api {}

/// Any event of the runtime.
pub type Event = api::Event;
pub use api::{constants, storage, transactions, view_functions};
