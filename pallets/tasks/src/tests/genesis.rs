//! The genesis configuration.

use crate::{Classes, GenesisConfig, mock::*};
use frame_support::traits::BuildGenesisConfig;

fn build(classes: Vec<(agora_primitives::ClassId, Class)>) {
    sp_io::TestExternalities::default().execute_with(|| {
        GenesisConfig::<Test> { classes }.build();
        assert_eq!(Classes::<Test>::get(CLASS), Some(class()));
    });
}

#[test]
fn sets_the_classes() {
    build(vec![(CLASS, class())]);
}

#[test]
#[should_panic(expected = "Err(InvalidReplicas)")]
fn refuses_a_class_whose_tasks_could_not_run() {
    build(vec![(CLASS, Class { replicas: 0, ..class() })]);
}

#[test]
#[should_panic(expected = "class 0 is there twice")]
fn refuses_a_class_that_is_there_twice() {
    build(vec![(CLASS, class()), (CLASS, class())]);
}
