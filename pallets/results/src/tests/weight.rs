//! What the hooks say that they weigh.

use crate::{WeightInfo, mock::*};
use frame_support::traits::Hooks;

#[test]
fn the_weight_counts_what_is_indexed_forgotten_and_what_the_block_may_settle() {
    let begin = |chain: &mut Chain| {
        let number = chain.headers.len() as u64;
        chain.ext.execute_with(|| {
            System::initialize(&number, &chain.headers.last().unwrap().hash(), &Default::default());
            <Results as Hooks<u64>>::on_initialize(number)
        })
    };
    let expected =
        |sealed, forgotten| <() as WeightInfo>::on_initialize(sealed, forgotten) + <() as WeightInfo>::on_finalize(5);
    let mut chain = Chain::new();
    chain.empty(1);
    assert_eq!(begin(&mut chain), expected(0, 0));
    let mut chain = Chain::new();
    chain.block([1, 2]);
    chain.empty(6);
    chain.block([3, 4, 5]);
    assert_eq!(begin(&mut chain), expected(3, 2));
}
