use crate::redistribute;
use agora_primitives::money::Payee;
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #[test]
    fn takes_exactly_the_penalties_and_gives_equal_shares(
        penalties in proptest::collection::vec(0u128..1_000_000, 0..9),
        winners in 0u64..9,
    ) {
        let penalties: Vec<(u64, u128)> = (100..).zip(penalties).collect();
        let winners: Vec<u64> = (0..winners).collect();
        let (share, transfers) = redistribute(&penalties, &winners);

        let mut taken = BTreeMap::<u64, u128>::new();
        let mut given = BTreeMap::<u64, u128>::new();
        let mut to_treasury = 0;
        prop_assert!(transfers.len() <= penalties.len() + winners.len());
        for transfer in transfers {
            prop_assert!(transfer.amount > 0);
            *taken.entry(transfer.from).or_default() += transfer.amount;
            match transfer.payee {
                Payee::Account(who) => *given.entry(who).or_default() += transfer.amount,
                Payee::Treasury => to_treasury += transfer.amount,
                Payee::Burn => prop_assert!(false, "nothing is burned"),
            }
        }
        for (loser, penalty) in &penalties {
            prop_assert_eq!(taken.get(loser).copied().unwrap_or_default(), *penalty);
        }
        for winner in &winners {
            prop_assert_eq!(given.get(winner).copied().unwrap_or_default(), share);
        }
        let pot: u128 = penalties.iter().map(|(_, penalty)| penalty).sum();
        let heads = winners.len() as u128;
        prop_assert_eq!(share * heads + to_treasury, pot);
        prop_assert!(heads == 0 || to_treasury < heads);
    }
}
